import type {} from "monaco-editor";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

import { postponeStyles } from "../csp";

const workers: Record<string, new () => Worker> = { json: JsonWorker, graphql: GraphQLWorker };

/** What Monaco asks of its page: its workers, and (its Trusted Types hook) a look at the markup that it writes. */
export function prepareMonaco(): void {
  window.MonacoEnvironment = {
    getWorker: (_id, label) => new (workers[label] ?? EditorWorker)(),
    createTrustedTypesPolicy: (name, options) => ({
      ...options,
      name,
      createHTML: (html) => postponeStyles(options?.createHTML?.(html) ?? html),
    }),
  };
}
