import { readFile } from "node:fs/promises";
import { bridge } from "@/lib/cli/stdio-bridge";
import { AppError } from "@/lib/core/errors";
import { secretVariable } from "@/lib/env";

export type StdioOptions = { readonly url: string; readonly keyEnv: string; readonly keyFile?: string };

/** What a header can carry. */
const KEY = /^[\x21-\x7e]+$/;

/** Lets a local client that speaks over standard streams use the door. The key is never an argument: those are public. */
export async function stdioCommand({ url, keyEnv, keyFile }: StdioOptions): Promise<number> {
  const found = keyFile === undefined ? secretVariable(keyEnv) : await readFile(keyFile, "utf8");
  const key = found?.trim() ?? "";
  if (key === "") {
    throw new AppError("invalid_input", `There is no key: set ${keyEnv}, or name a file with --key-file.`);
  }
  if (!KEY.test(key)) {
    throw new AppError("invalid_input", `What ${keyFile ?? keyEnv} holds is no key: a key is one word in plain ASCII.`);
  }
  requireAddress(url);
  await bridge({ url, key, input: process.stdin, output: process.stdout });
  return 0;
}

function requireAddress(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (isWeb && url.username === "" && url.password === "") return;
  throw new AppError("invalid_input", "--url must be an http or https address, without a user or password in it.");
}
