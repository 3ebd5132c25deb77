// Evaluates expressions with GitHub's own evaluator, offline.
//
//   node evaluate.mjs < requests
//
// A request is one line of JSON, answered by one line before the next is read:
//
//   {"expression", "contexts": {"github": …}, "status": {"success": true, …} | null}
//   {"value", "text", "truthy"} or {"error"}
//
// Only the contexts that are given exist, as at the place of the expression; so do the status functions, which
// answer what `status` says. `value` is the result as JSON, `text` what stands in its place in a text.

const modules = new URL("../../target/tools/node/node_modules/", import.meta.url);
const { Lexer, Parser, Evaluator, data } = await import(new URL("@actions/expressions/dist/index.js", modules).href);
const { truthy } = await import(new URL("@actions/expressions/dist/result.js", modules).href);

const statusFunction = (name, answer) => ({
  name,
  minArgs: 0,
  maxArgs: 0,
  call: () => new data.BooleanData(answer),
});

function evaluate({ expression, contexts, status }) {
  const functions = Object.entries(status ?? {}).map(([name, answer]) => statusFunction(name, answer));
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse();
  const known = JSON.parse(JSON.stringify(contexts), data.reviver);
  const byName = new Map(functions.map((each) => [each.name, each]));
  const result = new Evaluator(parsed, known, byName).evaluate();
  const value = JSON.parse(JSON.stringify(result, data.replacer));
  return { value, text: result.coerceString(), truthy: truthy(result) };
}

function answer(line) {
  try {
    return evaluate(JSON.parse(line));
  } catch (error) {
    return { error: error.message };
  }
}

// Not Node's reader of lines, for which U+2028 ends one.
let received = "";
for await (const chunk of process.stdin.setEncoding("utf8")) {
  const lines = (received + chunk).split("\n");
  received = lines.pop();
  for (const line of lines) process.stdout.write(`${JSON.stringify(answer(line))}\n`);
}
