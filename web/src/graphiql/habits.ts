import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect } from "react";

const SYSTEM_MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const TYPING_PAUSE_MS = 700;

/** The machine's own fixed-width font in every editor: GraphiQL names a web font that this page does not ship. */
export function useSystemFont(): void {
  const editors = useGraphiQL(pick("queryEditor", "variableEditor", "headerEditor", "responseEditor"));
  useEffect(() => {
    for (const editor of Object.values(editors)) editor?.updateOptions({ fontFamily: SYSTEM_MONO });
  }, [editors]);
}

/** Loads the schema once the reader has put a token into the headers; GraphiQL alone would wait for a click. */
export function useSchemaAfterToken(): void {
  const { headerEditor, schema } = useGraphiQL(pick("headerEditor", "schema"));
  const { introspect } = useGraphiQLActions();
  useEffect(() => {
    if (!headerEditor || schema) return;
    let timer: number | undefined;
    const listener = headerEditor.onDidChangeModelContent(() => {
      window.clearTimeout(timer);
      timer = window.setTimeout(introspect, TYPING_PAUSE_MS);
    });
    return () => {
      window.clearTimeout(timer);
      listener.dispose();
    };
  }, [headerEditor, schema, introspect]);
}

/** Repaints the editors when the machine turns dark or light, unless the reader chose; GraphiQL looks only at first. */
export function useSystemTheme(): void {
  const theme = useGraphiQL((state) => state.theme);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    if (theme !== null) return;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setTheme(null);
    dark.addEventListener("change", follow);
    return () => dark.removeEventListener("change", follow);
  }, [theme, setTheme]);
}
