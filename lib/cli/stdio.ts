import { readFile } from "node:fs/promises";
import { bridge } from "@/lib/cli/stdio-bridge";
import { AppError } from "@/lib/core/errors";
import { secretVariable } from "@/lib/env";

export type StdioOptions = { readonly url: string; readonly keyEnv: string; readonly keyFile?: string };

/** Lets a local client that speaks over standard streams use the door. The key is never an argument: those are public. */
export async function stdioCommand({ url, keyEnv, keyFile }: StdioOptions): Promise<number> {
  const found = keyFile === undefined ? secretVariable(keyEnv) : await readFile(keyFile, "utf8");
  const key = found?.trim() ?? "";
  if (key === "") {
    throw new AppError("invalid_input", `There is no key: set ${keyEnv}, or name a file with --key-file.`);
  }
  await bridge({ url, key, input: process.stdin, output: process.stdout });
  return 0;
}
