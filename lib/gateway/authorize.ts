import { type Decision, decide, type PermissionMap, type ToolRef } from "@/lib/access/decide";
import { AppError, type ErrorCode } from "@/lib/core/errors";
import type { Ask } from "@/lib/gateway/client-side";
import type { Identity } from "@/lib/gateway/identity";
import { PRIMITIVES } from "@/lib/gateway/primitives";
import type { RegisteredServer, RegisteredTool, ServersBySlug } from "@/lib/servers/registered-server";

declare const proof: unique symbol;

/** Proof that this identity may call this tool. Only `authorize` makes one. */
export type Grant = {
  readonly identity: Identity;
  readonly server: RegisteredServer;
  readonly tool: RegisteredTool;
  readonly ref: ToolRef;
  readonly decision: Decision;
  readonly map: PermissionMap;
  readonly [proof]: "grant";
};

/** A refusal remembers the decision, so that the trail can name its rule. */
export type Denial = { readonly decision: Decision; readonly map: PermissionMap };

/** Refusals after the decision, which they remember; some were allowed by it and refused for another reason. */
const DECIDED: ReadonlySet<ErrorCode> = new Set([
  "permission_denied",
  "not_found",
  "rate_limited",
  "killed",
  "invalid_arguments",
]);

/** The decision behind a refusal; null for errors that are none. */
export function denialOf(error: AppError): Denial | null {
  const cause = error.cause as Denial | undefined;
  return DECIDED.has(error.code) && cause?.decision ? cause : null;
}

/**
 * Throws `permission_denied` naming what is missing. The decision comes before the look-up: to one who may not call it,
 * a tool that exists and one that does not are the same refusal.
 */
export function authorize(
  identity: Identity,
  map: PermissionMap,
  servers: ServersBySlug,
  ref: ToolRef,
  ask?: Ask,
): Grant {
  const decision = decide(map, identity.permissions, ref);
  if (!decision.allow) {
    const text = `You may not call this tool: it needs the permission ${decision.missing}. An admin of your tenant can grant it.`;
    throw new AppError("permission_denied", text, { missing: decision.missing }, { decision, map } satisfies Denial);
  }
  const server = servers.get(ref.server);
  const tool = ask === undefined ? server?.tools.get(ref.tool) : primitiveOf(server, ref.tool);
  if (server === undefined || tool === undefined) {
    throw new AppError("not_found", "There is no such tool here.", {}, { decision, map } satisfies Denial);
  }
  if (tool.held !== undefined) throw heldBack();
  return { identity, server, tool, ref, decision, map } as Grant;
}

const primitiveOf = (server: RegisteredServer | undefined, key: string): RegisteredTool | undefined =>
  server?.withheld?.has(key) === true ? undefined : PRIMITIVES.get(key);

/** After the decision: only who may call a tool learns that it waits. */
function heldBack(): AppError {
  const text = "The server changed what this tool is, and a person has to review the change first. Nothing was called.";
  return new AppError("definition_held", text);
}
