import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exportEntries, type TrailExport } from "@/lib/audit/export-entries";
import { perform } from "@/lib/audit/perform";
import { cliContext, tenantIdOf } from "@/lib/cli/cli-tenant";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";

export type AuditExportOptions = { readonly tenant: string; readonly out: string; readonly [filter: string]: string };

/** Writes the trail of a tenant to a file; the file appears only when it is complete. */
export async function auditExportCommand({ tenant, out, ...filter }: AuditExportOptions): Promise<number> {
  await openDatabase();
  try {
    const ctx = cliContext(await tenantIdOf(tenant));
    const made = await perform(exportEntries, ctx, filter, "audit export");
    await write(made, out);
    const { range, entries, omitted } = made.manifest;
    process.stderr.write(
      `Entries ${range.from_seq} to ${range.to_seq}: ${entries} in full, ${omitted} as digests.\nHead ${range.head_hash}\n`,
    );
    return 0;
  } finally {
    await closeDatabase();
  }
}

async function write(made: TrailExport, out: string): Promise<void> {
  const source = Readable.from(made.lines());
  if (out === "-") {
    await pipeline(source, process.stdout, { end: false });
    return;
  }
  const part = `${out}.part`;
  try {
    await pipeline(source, createWriteStream(part));
    await rename(part, out);
  } catch (cause) {
    await rm(part, { force: true });
    throw cause;
  }
}
