import { explainAccess } from "@/lib/access/explain";
import type { DecisionTrace } from "@/lib/access/schemas";
import { perform } from "@/lib/audit/perform";
import { cliContext, tenantIdOf } from "@/lib/cli/cli-tenant";
import { AppError } from "@/lib/core/errors";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";

export type ExplainOptions = {
  readonly tenant: string;
  readonly server: string;
  readonly tool: string;
  readonly agent?: string;
  readonly roles?: string;
  readonly json?: boolean;
};

/** The trace as lines; the step that failed first is marked. */
export function explainLines(trace: DecisionTrace): readonly string[] {
  const first = trace.steps.find((step) => !step.ok);
  const steps = trace.steps.map((step) => `  ${step.ok ? "✓" : step === first ? "✗" : "·"} ${step.text}`);
  const verdict = trace.allow ? "Allowed" : `Denied at: ${first?.step ?? "permission"}`;
  return [...steps, `${verdict} (rule ${trace.rule}, map version ${trace.mapVersion}).`];
}

/** Explains a decision; the exit status is 0 when it allows and 1 when it denies. */
export async function explainCommand(options: ExplainOptions): Promise<number> {
  const { agent, roles, server, tool } = options;
  if ((agent === undefined) === (roles === undefined)) {
    throw new AppError("invalid_input", "Name either --agent or --roles.");
  }
  await openDatabase();
  try {
    const subject = agent === undefined ? { roles: (roles ?? "").split(",").map((slug) => slug.trim()) } : { agent };
    const ctx = cliContext(await tenantIdOf(options.tenant));
    const trace = await perform(explainAccess, ctx, { ...subject, server, tool }, "explain");
    const text = options.json === true ? JSON.stringify(trace, null, 2) : explainLines(trace).join("\n");
    process.stdout.write(`${text}\n`);
    return trace.allow ? 0 : 1;
  } finally {
    await closeDatabase();
  }
}
