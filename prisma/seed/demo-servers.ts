import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { appRoot } from "@/lib/db/app-root";
import type { ServerEndpoint } from "@/lib/servers/schemas";
import type { Scenario } from "@/prisma/seed/scenario";

/** Where the sample files of a tenant are. */
export const folderOf = (dataDir: string, tenant: string): string => resolve(dataDir, "demo", tenant, "files");

/** The script of a published server, which `npm install` put here. */
export const serverScript = (name: string): string =>
  join(appRoot(), "node_modules", "@modelcontextprotocol", name, "dist", "index.js");

export type DemoServer = {
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly endpoint: ServerEndpoint;
  /** Settles when there is somebody to ask. */
  readonly ready?: Promise<void>;
};

const stdio = (script: string, args: readonly string[], env: Record<string, string> = {}): ServerEndpoint => ({
  transport: "stdio",
  command: "node",
  args: [serverScript(script), ...args],
  env,
});

/** The servers of a tenant with the paths and the port they have on this machine now. */
export function demoServers(
  dataDir: string,
  tenant: string,
  upstream: { readonly url: string; readonly ready: Promise<void> },
): readonly DemoServer[] {
  return [
    {
      slug: "everything",
      name: "Everything",
      description: "Shows every feature of the protocol.",
      endpoint: stdio("server-everything", ["stdio"]),
    },
    {
      slug: "files",
      name: "Files",
      description: "Reads and writes one folder of sample files.",
      endpoint: stdio("server-filesystem", [folderOf(dataDir, tenant)]),
    },
    {
      slug: "memory",
      name: "Memory",
      description: "Keeps notes as a graph.",
      endpoint: stdio("server-memory", [], { MEMORY_FILE_PATH: resolve(dataDir, "demo", tenant, "memory.jsonl") }),
    },
    {
      slug: "remote",
      name: "Remote",
      description: "The same features, over HTTP.",
      endpoint: { transport: "http", url: upstream.url },
      ready: upstream.ready,
    },
  ];
}

/** Writes the sample files that are not there yet; what agents wrote stays. */
export async function writeSampleFiles(dataDir: string, scenario: Scenario): Promise<void> {
  const folder = folderOf(dataDir, scenario.slug);
  for (const [name, content] of Object.entries(scenario.files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EEXIST") throw cause;
    });
  }
}
