import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const example = z.object({ tool: z.string(), arguments: z.record(z.string(), z.unknown()) });

/** `<DATA_DIR>/demo.json`: how to get into the demo. Its shape is public. */
export const demoFile = z.object({
  baseUrl: z.string(),
  users: z.array(
    z.object({
      email: z.string(),
      password: z.string(),
      /** null: belongs to no tenant. */
      tenant: z.string().nullable(),
      roles: z.array(z.string()),
      /** For /api/v1; null where there is no tenant to scope it to. */
      apiToken: z.string().nullable(),
    }),
  ),
  agents: z.array(
    z.object({
      name: z.string(),
      tenant: z.string(),
      key: z.string(),
      roles: z.array(z.string()),
      allowed: example,
      denied: example,
    }),
  ),
});
export type DemoFile = z.output<typeof demoFile>;

const pathOf = (dataDir: string): string => join(dataDir, "demo.json");

/** The file, or null where it is missing or not whole. */
export async function readDemoFile(dataDir: string): Promise<DemoFile | null> {
  try {
    return demoFile.parse(JSON.parse(await readFile(pathOf(dataDir), "utf8")));
  } catch {
    return null;
  }
}

/** Writes it as a whole, for its owner's eyes only. */
export async function writeDemoFile(dataDir: string, content: DemoFile): Promise<void> {
  const draft = `${pathOf(dataDir)}.${process.pid}.tmp`;
  // Parsed, so that its members always stand in the order of the schema.
  await writeFile(draft, `${JSON.stringify(demoFile.parse(content), null, 2)}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, pathOf(dataDir));
}

/** Names the address of this run; credentials stay. */
export async function refreshBaseUrl(dataDir: string, baseUrl: string): Promise<void> {
  const file = await readDemoFile(dataDir);
  if (file !== null && file.baseUrl !== baseUrl) await writeDemoFile(dataDir, { ...file, baseUrl });
}
