import "server-only";
import { type Decision, decide, type HeldRole, type ToolRef } from "@/lib/access/decide";
import { readLatestVersion } from "@/lib/access/map-versions";
import { toPermissionMap } from "@/lib/access/permission-map";
import { primitivesOf } from "@/lib/access/primitives";
import { type DecisionTrace, explainInput, type TraceStep } from "@/lib/access/schemas";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";

type Subject = { readonly step: TraceStep; readonly roles: readonly HeldRole[] };
type Place = { readonly tenantId: string; readonly slug: string };

const joined = (words: readonly string[]): string => (words.length === 0 ? "none" : words.join(", "));

async function agentSubject(tx: TenantTx, place: Place, slug: string): Promise<Subject> {
  const now = new Date();
  const agent = await tx.agent.findUnique({
    where: { tenantId_slug: { tenantId: place.tenantId, slug } },
    include: { roles: { where: { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] }, include: { role: true } } },
  });
  if (agent === null) throw new AppError("not_found", `There is no agent ${slug}.`);
  const ok = agent.status === "active";
  const text = ok ? `Agent ${slug} is active.` : `Agent ${slug} is suspended, so its keys open nothing.`;
  return {
    step: { step: "agent", ok, text, link: `/${place.slug}/agents/${agent.id}` },
    roles: agent.roles.map(({ role }) => ({ slug: role.slug, permissions: role.permissions })),
  };
}

async function rolesSubject(tx: TenantTx, place: Place, slugs: readonly string[]): Promise<Subject> {
  const roles = await tx.role.findMany({ where: { tenantId: place.tenantId, slug: { in: [...slugs] } } });
  const unknown = slugs.find((slug) => !roles.some((role) => role.slug === slug));
  if (unknown !== undefined) throw new AppError("not_found", `There is no role ${unknown}.`);
  return { step: { step: "agent", ok: true, text: `Somebody who holds ${joined(slugs)}.` }, roles };
}

function oneself(ctx: RequestContext): Subject {
  return {
    step: { step: "agent", ok: true, text: "You yourself." },
    roles: [{ slug: "you", permissions: ctx.permissions }],
  };
}

/** What a kill switch stops is refused whatever the map says; `kind target`, and the tenant as `tenant`. */
type Stopped = ReadonlySet<string>;

async function readStopped(tx: TenantTx, tenantId: string): Promise<Stopped> {
  const thrown = await tx.killSwitch.findMany({
    where: { tenantId, liftedAt: null },
    select: { kind: true, target: true },
  });
  return new Set(thrown.map(({ kind, target }) => (kind === "tenant" ? kind : `${kind} ${target}`)));
}

/** The step as it was, or the switch that refuses there. */
function unlessStopped(step: TraceStep, stopped: Stopped, what: string, place: Place): TraceStep {
  if (!stopped.has(what)) return step;
  const text = `${step.text} A kill switch stops ${what === "tenant" ? "everything" : "it"}.`;
  return { ...step, ok: false, text, ...(step.ok ? { link: `/${place.slug}/settings?tab=kill` } : {}) };
}

function toolText(ref: ToolRef, found: boolean, held: boolean): string {
  if (!found) return `${ref.server} offers no tool called ${ref.tool}.`;
  return held
    ? `${ref.server} offers ${ref.tool}, whose definition waits for review: it is not called until then.`
    : `${ref.server} offers ${ref.tool}.`;
}

async function serverSteps(tx: TenantTx, place: Place, ref: ToolRef): Promise<readonly [TraceStep, TraceStep]> {
  const { server: slug, tool } = ref;
  const server = await tx.server.findUnique({
    where: { tenantId_slug: { tenantId: place.tenantId, slug } },
    include: { tools: { where: { name: tool, removedAt: null }, select: { heldSha256: true } } },
  });
  const link = server === null ? `/${place.slug}/servers` : `/${place.slug}/servers/${server.id}`;
  const enabled = server?.status === "enabled";
  const beside = primitivesOf(server?.probe).some(({ key }) => key === tool);
  const found = server !== null && (server.tools.length > 0 || beside);
  const held = server?.tools.some(({ heldSha256 }) => heldSha256 !== null) === true;
  const state = server === null ? `No server is called ${slug}.` : `Server ${slug} is ${server.status}.`;
  return [
    { step: "server", ok: enabled, text: state, link },
    { step: "tool", ok: found && !held, text: toolText(ref, found, held), link: held ? `${link}?tab=tools` : link },
  ];
}

function decisionSteps(
  place: Place,
  decision: Decision,
  roles: readonly HeldRole[],
  ref: ToolRef,
): readonly TraceStep[] {
  const page = `/${place.slug}/access`;
  const at = `server=${ref.server}&q=${encodeURIComponent(ref.tool)}`;
  const link = `${page}?tab=map&${at}`;
  const rule = decision.rule;
  const mapping: TraceStep = rule.startsWith("invalid:")
    ? { step: "mapping", ok: false, text: "The mapping is not a permission, so nobody may call the tool.", link }
    : {
        step: "mapping",
        ok: true,
        text:
          rule === "unmapped" ? `Not mapped, so ${decision.needed} is needed.` : `The map asks for ${decision.needed}.`,
        link,
      };
  const names = roles.map((role) => role.slug);
  const via = decision.via.map(({ role, permission }) => `${permission} by role ${role}`);
  const lacking = `None of the roles (${joined(names)}) gives ${decision.needed}.`;
  return [
    mapping,
    { step: "roles", ok: names.length > 0, text: `Roles held: ${joined(names)}.`, link: `${page}?tab=roles` },
    {
      step: "permission",
      ok: decision.allow,
      text: decision.allow ? `Held: ${joined(via)}.` : lacking,
      link: `${page}?tab=matrix&${at}`,
    },
  ];
}

/** Why a call would be allowed or refused: the decision of the road itself, with every step before it. */
export const explainAccess = defineRead({
  permission: "access:read",
  input: explainInput,
  run: async (tx, ctx, input): Promise<DecisionTrace> => {
    const tenant = await tx.tenant.findUnique({ where: { id: ctx.tenantId }, select: { slug: true, status: true } });
    if (tenant === null) throw new AppError("not_found", "There is no such tenant.");
    const place: Place = { tenantId: ctx.tenantId, slug: tenant.slug };
    const subject = await subjectOf(tx, ctx, place, input);
    const latest = await readLatestVersion(tx, ctx.tenantId);
    const map = toPermissionMap(latest.version, latest.sha256, latest.rules);
    const held = new Set(subject.roles.flatMap((role) => [...role.permissions]));
    const ref = { server: input.server, tool: input.tool };
    const decision = decide(map, held, ref, subject.roles);
    const stopped = await readStopped(tx, ctx.tenantId);
    const here: TraceStep = {
      step: "tenant",
      ok: tenant.status === "active",
      text: `Tenant ${tenant.slug} is ${tenant.status}.`,
    };
    const [server, tool] = await serverSteps(tx, place, ref);
    const steps: readonly TraceStep[] = [
      unlessStopped(subject.step, stopped, `agent ${input.agent ?? ""}`, place),
      unlessStopped(here, stopped, "tenant", place),
      unlessStopped(server, stopped, `server ${ref.server}`, place),
      unlessStopped(tool, stopped, `tool ${ref.server}/${ref.tool}`, place),
      ...decisionSteps(place, decision, subject.roles, ref),
    ];
    const { needed, rule, missing, via } = decision;
    return { allow: steps.every((step) => step.ok), needed, rule, missing, via, mapVersion: latest.version, steps };
  },
});

function subjectOf(
  tx: TenantTx,
  ctx: RequestContext,
  place: Place,
  input: { readonly agent?: string | undefined; readonly roles?: readonly string[] | undefined },
): Promise<Subject> {
  if (input.agent !== undefined && input.roles !== undefined) {
    const issues = [{ path: "roles", rule: "name an agent or roles, not both" }];
    throw new AppError("invalid_input", "Name an agent or roles, not both.", { issues });
  }
  if (input.agent !== undefined) return agentSubject(tx, place, input.agent);
  if (input.roles !== undefined) return rolesSubject(tx, place, input.roles);
  return Promise.resolve(oneself(ctx));
}
