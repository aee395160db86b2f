import { createReadStream } from "node:fs";
import { type ExportReport, verifyExport } from "@/lib/audit/verify";

const UNREADABLE = 2;

export type AuditVerifyOptions = { readonly expectHead?: string; readonly json?: boolean };

/** Checks one file; 0 valid, 1 not valid, 2 the file cannot be read. */
export async function auditVerifyCommand(file: string, options: AuditVerifyOptions = {}): Promise<number> {
  let report: ExportReport;
  try {
    report = await verifyExport(createReadStream(file), options.expectHead);
  } catch (cause) {
    process.stderr.write(`Cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    return UNREADABLE;
  }
  process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : toText(file, report));
  return report.valid ? 0 : 1;
}

function toText(file: string, report: ExportReport): string {
  const { problem, tenant, fromSeq, toSeq, entries, omitted, head, fromGenesis } = report;
  if (problem !== null) {
    const entry =
      problem.seq === null ? "" : `entry ${problem.seq}${problem.eventId === null ? "" : ` (${problem.eventId})`}: `;
    return `NOT VALID  ${file}\n  line ${problem.line}: ${entry}${problem.problem}\n`;
  }
  const since = fromGenesis ? "from the first entry of the chain" : `earlier entries are not covered by this file`;
  const left = omitted === 0 ? "" : `, ${omitted} left out by the filter and covered by their digests`;
  return `VALID  ${file}
  tenant   ${tenant?.slug} (${tenant?.id})
  entries  ${fromSeq} to ${toSeq}, ${since}
  in full  ${entries}${left}
  head     ${head}
`;
}
