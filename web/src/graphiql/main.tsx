import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "graphiql/graphiql.css";
import "./page.css";

import type { GraphiQLPlugin } from "@graphiql/react";
import { createLocalStorage } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { applyPostponedStyles, signStyleElements } from "../csp";
import { useSchemaAfterToken, useSystemFont, useSystemTheme } from "./habits";
import { HEADERS, examples } from "./examples";
import { createFetcher } from "./fetcher";
import { prepareMonaco } from "./monaco";

const NO_PLUGINS: GraphiQLPlugin[] = [];
const fetcher = createFetcher();

function Habits(): null {
  useSystemFont();
  useSystemTheme();
  useSchemaAfterToken();
  return null;
}

function Page() {
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={createLocalStorage({ namespace: window.location.pathname })}
      defaultTabs={examples}
      defaultHeaders={HEADERS}
      defaultEditorToolsVisibility="headers"
      inputValueDeprecation
      schemaDescription
      // Tokens stay in the page. Tabs then leave them out of storage; the history plugin would not, so there is none.
      shouldPersistHeaders={false}
      plugins={NO_PLUGINS}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <strong className="page-name">FSHNiSTA</strong>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <p className="token-hint">
          <b>Headers:</b> put an access token or a sandbox API key after <code>Bearer</code>. It serves every tab, and
          is gone when you close the page.
        </p>
        <Habits />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

signStyleElements();
applyPostponedStyles();
prepareMonaco();
createRoot(document.getElementById("page")!).render(<Page />);
