// What Mermaid's own parser reads in a flowchart: one JSON text a line on standard input, one answer a line on
// standard output. Nothing is drawn, so that no browser is needed.
import { createInterface } from "node:readline";

const modules = new URL("../../target/tools/node/node_modules/", import.meta.url);
const load = async (file) => (await import(new URL(file, modules).href)).default;

// Labels are cleaned in a browser's document, which is not here. What is asked is how they are read.
const purify = await load("dompurify/dist/purify.es.mjs");
purify.addHook = () => {};
purify.sanitize = (text) => text;
const mermaid = await load("mermaid/dist/mermaid.core.mjs");

// Mermaid hides entities from its grammar, and shows them as HTML does.
const shown = (text) =>
  text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll("<br/>", "\n");

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const text = JSON.parse(line);
    await mermaid.parse(text);
    const { type, db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const answer = {
      type,
      nodes: [...db.getVertices().values()].map(({ id, text, type }) => ({ id, label: shown(text), shape: type })),
      edges: db.getEdges().map(({ start, end }) => [start, end]),
      groups: db.getSubGraphs().map(({ title, nodes }) => ({ title: shown(title), nodes })),
    };
    console.log(JSON.stringify(answer));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
