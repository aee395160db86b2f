import { z } from "zod";

export const KILL_KINDS = ["agent", "tool", "server", "tenant"] as const;
export type KillKind = (typeof KILL_KINDS)[number];

const why = z.string().trim().max(500);

/** POST /api/v1/kill-switches. `target`: an agent's or server's slug, `<server slug>/<tool>`; the tenant itself needs none. */
export const throwKillSwitchInput = z
  .object({
    kind: z.enum(KILL_KINDS),
    target: z.string().trim().max(200).default(""),
    reason: why.default(""),
  })
  .check((context) => {
    const { kind, target, reason } = context.value;
    const complain = (path: string, message: string) =>
      context.issues.push({ code: "custom", path: [path], message, input: context.value });
    if (kind !== "tenant" && target === "") complain("target", "must name what is stopped");
    if (kind === "tenant" && reason.length < 3) complain("reason", "say why the whole tenant is stopped");
  });

/** DELETE /api/v1/kill-switches/{id} */
export const liftKillSwitchInput = z.object({ id: z.uuid(), reason: why.optional() });

export type KillSwitchView = {
  readonly id: string;
  readonly kind: KillKind;
  readonly target: string;
  readonly reason: string;
  readonly thrownBy: string;
  readonly thrownAt: string;
  readonly liftedAt: string | null;
  readonly liftedBy: string | null;
};
