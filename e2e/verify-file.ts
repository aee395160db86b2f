import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

const exec = promisify(execFile);

export type Verdict = { readonly status: number; readonly said: string };

/** `cs audit verify` as an auditor would run it: a process of its own, with no server and no settings. */
export async function verifyFile(file: string): Promise<Verdict> {
  return exec(process.execPath, [".build/cs.js", "audit", "verify", file], {
    env: { NODE_ENV: "production", PATH: process.env["PATH"] },
  }).then(
    ({ stdout, stderr }) => ({ status: 0, said: stdout + stderr }),
    (failure: { code: number; stdout: string; stderr: string }) => ({
      status: failure.code,
      said: failure.stdout + failure.stderr,
    }),
  );
}

/** Writes a spoiled copy of an export and says what the verifier made of it. */
export async function verifySpoiled(
  file: string,
  name: string,
  spoil: (lines: string[]) => string[],
): Promise<Verdict> {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const copy = `${file}.${name}`;
  writeFileSync(copy, `${spoil(lines).join("\n")}\n`);
  return verifyFile(copy);
}
