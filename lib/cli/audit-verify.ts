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

/** A file that somebody made up must not draw its own verdict over ours. */
const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");

function toText(file: string, report: ExportReport): string {
  const { problem, tenant, fromSeq, toSeq, entries, head, fromGenesis } = report;
  if (problem !== null) {
    const entry =
      problem.seq === null ? "" : `entry ${problem.seq}${problem.eventId === null ? "" : ` (${problem.eventId})`}: `;
    return `NOT VALID  ${plain(file)}\n  line ${problem.line}: ${plain(entry + problem.problem)}\n`;
  }
  const since = fromGenesis ? "from the first entry of the chain" : `earlier entries are not covered by this file`;
  return `VALID  ${plain(file)}
  tenant   ${plain(`${tenant?.slug} (${tenant?.id})`)}
  filter   ${plain(filterText(report))}
  entries  ${fromSeq} to ${toSeq}, ${since}
  in full  ${entries}${omittedText(report)}
  head     ${head}${vouchedText(report)}
`;
}

const filterText = ({ filter }: ExportReport): string => {
  const asked = Object.entries(filter).map(([name, value]) => `${name}: ${value}`);
  return asked.length === 0 ? "none" : asked.join(", ");
};

const omittedText = ({ omitted }: ExportReport): string =>
  omitted === 0 ? "" : `, ${omitted} as digests only (that they do not fit the filter is the exporter's word)`;

function vouchedText({ vouchedSeq, toSeq }: ExportReport): string {
  if (vouchedSeq === null)
    return "\n           not compared: only a head noted elsewhere (--expect-head) shows a file that was made anew";
  if (vouchedSeq === toSeq) return ", as expected";
  return `\n           the expected head is that of entry ${vouchedSeq}; what comes after it rests on this file alone`;
}
