import "server-only";
import type { z } from "zod";
import { canonicalSha256 } from "@/lib/core/canonical-json";
import { actorName, type RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { NO_JSON } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { noteCircuitsAnew } from "@/lib/metrics/circuit-history";
import { requireSoundEndpoint } from "@/lib/servers/check-endpoint";
import { toPoolLimits } from "@/lib/servers/circuit-rules";
import { type SealedCredential, sealCredential } from "@/lib/servers/credential";
import { auditedServer, readServerDetail } from "@/lib/servers/detail";
import { requireServer, serverChanged, toEndpoint } from "@/lib/servers/internal";
import { changeServerInput, type ServerDetail, tooManyPrograms } from "@/lib/servers/schemas";

type Input = z.output<typeof changeServerInput>;

const EMPTY = { credential: null, credentialKeyId: null };

/** Undefined leaves the stored credential alone; an empty one takes it away. */
async function prepare(ctx: RequestContext, input: Input): Promise<SealedCredential | typeof EMPTY | undefined> {
  const { id, credential } = input;
  if (credential === undefined) return undefined;
  const row = await inTenant(ctx.tenantId, (tx) => requireServer(tx, ctx.tenantId, id));
  requireSoundEndpoint(toEndpoint(row), credential);
  return (await sealCredential(ctx.tenantId, id, credential)) ?? EMPTY;
}

/** A wish that is taken back is stored as no value at all, which is not the JSON null. */
const orDefault = <T>(wish: T | null | undefined) => (wish === null ? NO_JSON : wish);

const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** True when the gateway treats it as another server: what decides that is what `version` of a registered server is made of. */
function isAnother(before: ServerDetail, after: ServerDetail, isResealed: boolean): boolean {
  const hadOrHas = before.credentialNames.length + after.credentialNames.length > 0;
  if ((isResealed && hadOrHas) || before.poolSize !== after.poolSize) return true;
  return canonicalSha256(toPoolLimits(before.poolLimits)) !== canonicalSha256(toPoolLimits(after.poolLimits));
}

/** What was stored before keeps working: only what is asked for now has to fit, and a number that is not touched is not asked for. */
function requireProgramsFit(before: ServerDetail, { poolSize, poolLimits }: Input): void {
  const most = toPoolLimits(before.poolLimits).maxChildren;
  const mostNow = poolLimits === undefined ? most : toPoolLimits(poolLimits).maxChildren;
  const kept = poolSize ?? before.poolSize;
  const rule = tooManyPrograms(before.transport, kept, mostNow);
  if (rule === null || (kept === before.poolSize && mostNow >= most)) return;
  const issues =
    kept === before.poolSize
      ? [{ path: "poolLimits.maxChildren", rule: `must not be less than the programs that are kept running, ${kept}` }]
      : [{ path: "poolSize", rule }];
  throw new AppError("invalid_input", issues.map((issue) => `${issue.path} ${issue.rule}.`).join(" "), { issues });
}

/** Changes what is told of a server and how it is treated. Its address is what was approved: another one is another server. */
export const changeServer = defineWrite({
  permission: "servers:write",
  input: changeServerInput,
  prepare,
  run: async (tx, ctx, input, sealed) => {
    const { tenantId } = ctx;
    const { id, credential: _plain, circuitPolicy, poolLimits, ...rest } = input;
    const fields = { ...rest, circuitPolicy: orDefault(circuitPolicy), poolLimits: orDefault(poolLimits) };
    const before = await readServerDetail(tx, tenantId, id);
    requireProgramsFit(before, input);
    await tx.server.update({
      where: { tenantId_id: { tenantId, id } },
      data: { ...given(fields), ...(sealed ?? {}), updatedAt: new Date() },
    });
    const after = await readServerDetail(tx, tenantId, id);
    if (isAnother(before, after, sealed !== undefined)) {
      const word = { reason: "The server was changed, and its circuit began anew.", by: actorName(ctx.actor) };
      await noteCircuitsAnew(tx, tenantId, after.slug, word);
    }
    return {
      result: after,
      audit: {
        action: "server.changed",
        target: after.slug,
        before: auditedServer(before),
        after: { ...auditedServer(after), ...(sealed === undefined ? {} : { credential: "replaced" }) },
      },
      publish: [serverChanged(tenantId, id)],
    };
  },
});
