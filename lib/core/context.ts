/** Who acts. Exhaustive: a new kind of actor must be handled everywhere. */
export type Actor =
  | {
      readonly kind: "user";
      readonly userId: string;
      readonly memberId: string | null;
      readonly email: string;
      readonly name: string;
      readonly platformAdmin: boolean;
      readonly authMethod: "session" | "api_token";
      /** Id of the session or API token that was presented; never the secret. */
      readonly credentialId?: string;
    }
  | {
      readonly kind: "agent";
      readonly agentId: string;
      readonly keyId: string;
      readonly slug: string;
      readonly name: string;
      readonly ownerMemberId: string;
    }
  | { readonly kind: "system"; readonly job: string }
  | { readonly kind: "anonymous" };

/** What every verb receives first: built once per request at its door, never global. */
export type RequestContext = {
  readonly requestId: string;
  readonly tenantId: string;
  readonly actor: Actor;
  /** What the actor holds in this tenant, wildcards included. */
  readonly permissions: ReadonlySet<string>;
  readonly ip: string | null;
  readonly userAgent: string | null;
};

/** Stable id of an actor as it stands in the trail. */
export function actorId(actor: Actor): string {
  switch (actor.kind) {
    case "user":
      return actor.userId;
    case "agent":
      return actor.agentId;
    case "system":
      return actor.job;
    case "anonymous":
      return "anonymous";
  }
}

/** What people call the actor. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case "user":
      return actor.email;
    case "agent":
      return actor.slug;
    case "system":
      return actor.job;
    case "anonymous":
      return "anonymous";
  }
}
