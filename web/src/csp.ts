/**
 * Lets libraries that write styles at run time work under a policy without 'unsafe-inline'.
 *
 * The page's policy knows two kinds of style: files of our own origin, and <style> elements that carry the nonce which
 * the server put into the page. Markup from elsewhere has neither, so it cannot style anything.
 */

const LATE_STYLE = "data-late-style";

/** The nonce of this page: `<meta property="csp-nonce" nonce="…">`, where Vite's own loader looks too. */
function pageNonce(): string {
  return document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
}

/** Gives the page's nonce to every <style> element that a script makes. */
export function signStyleElements(): void {
  const nonce = pageNonce();
  const create = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
}

/** Renames style attributes, so that the browser does not meet one while it parses `html`. */
export function postponeStyles(html: string): string {
  return html.replaceAll(/(<[^<>]*?\s)style=/g, `$1${LATE_STYLE}=`);
}

/** Sets postponed styles through the DOM, which the policy allows, as soon as their elements are in the page. */
export function applyPostponedStyles(): void {
  new MutationObserver((records) => {
    for (const { addedNodes } of records) for (const node of addedNodes) if (node instanceof Element) applyWithin(node);
  }).observe(document, { childList: true, subtree: true });
}

function applyWithin(root: Element): void {
  apply(root);
  root.querySelectorAll(`[${LATE_STYLE}]`).forEach(apply);
}

function apply(element: Element): void {
  const text = element.getAttribute(LATE_STYLE);
  if (text === null || !(element instanceof HTMLElement)) return;
  element.style.cssText = text;
  element.removeAttribute(LATE_STYLE);
}
