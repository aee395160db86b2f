import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stdioCommand } from "@/lib/cli/stdio";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cs-stdio-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ["two keys", "cs_first\ncs_hidden\n", "http://127.0.0.1:1/api/mcp", "is no key"],
  ["no key", "\n", "http://127.0.0.1:1/api/mcp", "There is no key"],
  ["a key, and a password in the address", "cs_hidden", "https://me:cs_hidden@127.0.0.1:1/api/mcp", "--url"],
  ["a key, and no address", "cs_hidden", "cs_hidden", "--url"],
  ["a key, and an address of something else", "cs_hidden", "ws://127.0.0.1:1/cs_hidden", "--url"],
])("refuses to start with %s, and repeats nothing of it", async (_, held, url, says) => {
  const keyFile = join(folder, "key");
  await writeFile(keyFile, held);
  const refused: unknown = await stdioCommand({ url, keyEnv: "NONE", keyFile }).catch((cause: unknown) => cause);
  expect(String(refused)).toContain(says);
  expect(String(refused)).not.toContain("cs_hidden");
});
