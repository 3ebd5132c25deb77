// What GitHub itself says of a workflow: its parser and its language service, offline.
//
//   node github-workflow.mjs [--preview] [--parser-only] FILE...
//   node github-workflow.mjs [--preview] [--parser-only] < requests
//
// FILEs are judged where they lie: the local workflows that they call are read too. A request is a text on its
// own, as one line of JSON: {"name": …, "text": …} or {"path": …}. The answer is one line of JSON for each, in
// the same order:
//
//   {"name", "accepted", "parser": [finding…], "service": [finding…]}
//
// A finding is {"severity", "line", "column", "message"}, counted from 1. `accepted` says that the parser has no
// complaint; `service` holds what the language service alone says. Metadata of actions is not fetched.
// `--preview` allows the syntax that GitHub ships behind feature flags.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

// The packages import JSON without saying that it is JSON, which Node refuses.
const hook = `export const load = (url, context, next) =>
  next(url, url.endsWith(".json") ? { ...context, importAttributes: { ...context.importAttributes, type: "json" } } : context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const modules = new URL("../../target/tools/node/node_modules/", import.meta.url);
const load = (file) => import(new URL(file, modules).href);
const { FeatureFlags } = await load("@actions/expressions/dist/index.js");
const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await load(
  "@actions/workflow-parser/dist/index.js",
);
const { TemplateContext, TemplateValidationErrors } = await load(
  "@actions/workflow-parser/dist/templates/template-context.js",
);
const { getWorkflowSchema } = await load("@actions/workflow-parser/dist/workflows/workflow-schema.js");
const { ErrorPolicy } = await load("@actions/workflow-parser/dist/model/convert.js");
const { validate, registerLogger } = await load("@actions/languageservice/dist/index.js");
const { clearCache } = await load("@actions/languageservice/dist/utils/workflow-cache.js");
const { TextDocument } = await load("vscode-languageserver-textdocument/lib/esm/main.js");

// The service logs its own crashes and carries on; a crash is no verdict, so it becomes a finding.
let crashes = [];
registerLogger({ error: (text) => crashes.push(text), warn() {}, info() {}, log() {} });

const options = new Set(process.argv.slice(2).filter((argument) => argument.startsWith("--")));
const files = process.argv.slice(2).filter((argument) => !options.has(argument));
const featureFlags = new FeatureFlags(
  options.has("--preview")
    ? {
        allowBackgroundSteps: true,
        allowCaseFunction: true,
        allowCopilotRequestsPermission: true,
        allowDrivesPermissionAutocomplete: true,
      }
    : {},
);
const severities = { 1: "error", 2: "warning", 3: "information", 4: "hint" };

/** Reads the reusable workflows that a file on disk calls, so that inputs and secrets are checked too. */
function calledFrom(file) {
  const root = file.split(`${path.sep}.github${path.sep}`)[0];
  return {
    async getFileContent(reference) {
      if (reference.repository) throw new Error("remote workflows are not fetched");
      return { name: reference.path, content: await readFile(path.join(root, reference.path), "utf8") };
    },
  };
}

async function parserFindings(name, text, fileProvider) {
  const context = new TemplateContext(new TemplateValidationErrors(), getWorkflowSchema(), new NoOperationTraceWriter());
  // The reader asks for these too, before the conversion sets them.
  context.state.featureFlags = featureFlags;
  const { value } = parseWorkflow({ name, content: text }, context);
  if (value) {
    const fetchReusableWorkflowDepth = fileProvider ? 1 : 0;
    const errorPolicy = ErrorPolicy.TryConversion;
    await convertWorkflowTemplate(context, value, fileProvider, {
      fetchReusableWorkflowDepth,
      errorPolicy,
      featureFlags,
    });
  }
  return context.errors.getErrors().map((error) => ({
    severity: "error",
    line: error.range?.start.line ?? 1,
    column: error.range?.start.column ?? 1,
    message: error.rawMessage,
  }));
}

async function serviceFindings(uri, text, fileProvider) {
  crashes = [];
  clearCache();
  const diagnostics = await validate(TextDocument.create(uri, "yaml", 0, text), { fileProvider, featureFlags });
  return [
    ...diagnostics.map(({ severity, range, message }) => ({
      severity: severities[severity ?? 1],
      line: range.start.line + 1,
      column: range.start.character + 1,
      message,
    })),
    ...crashes.map((message) => ({ severity: "error", line: 1, column: 1, message })),
  ];
}

async function judge(name, text, file) {
  const fileProvider = file && calledFrom(file);
  const uri = file ? pathToFileURL(file).href : "file:///.github/workflows/text.yml";
  const lines = text.split("\n");
  // What neither can know: a workflow of another repository, and the payload of `merge_group`, an event that the
  // service has no data for.
  const mergeGroup = /(?<![.\w])merge_group\b/.test(text);
  const known = ({ message, line }) =>
    !(message === "Unable to find reusable workflow" && !lines[line - 1].includes("./")) &&
    !(message === "Context access might be invalid: merge_group" && mergeGroup);

  const parser = (await parserFindings(name, text, fileProvider)).filter(known);
  const service = options.has("--parser-only") ? [] : await serviceFindings(uri, text, fileProvider);
  const said = new Set(parser.map((finding) => finding.message));
  return {
    name,
    accepted: parser.length === 0,
    parser,
    service: service.filter((finding) => !said.has(finding.message) && known(finding)),
  };
}

const answer = (verdict) => process.stdout.write(`${JSON.stringify(verdict)}\n`);
for (const file of files) {
  answer(await judge(file, readFileSync(file, "utf8"), path.resolve(file)));
}
if (!files.length) {
  for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    const request = JSON.parse(line);
    answer(await judge(request.name ?? request.path, request.text ?? readFileSync(request.path, "utf8")));
  }
}
