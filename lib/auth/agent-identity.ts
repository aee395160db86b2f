/** Who an agent key speaks for, with everything the hot path needs to decide. */
export type AgentIdentity = {
  readonly tenantId: string;
  readonly tenantSlug: string;
  readonly tenantZones: readonly string[];
  readonly agentId: string;
  readonly slug: string;
  readonly name: string;
  readonly ownerMemberId: string;
  readonly keyId: string;
  readonly roles: readonly { readonly slug: string; readonly permissions: readonly string[] }[];
  readonly permissions: ReadonlySet<string>;
};

/** Why a key is refused; `known` names the agent where the key exists, so that its tenant's trail gets the entry. */
export type AgentKeyRefusal =
  | { readonly ok: false; readonly reason: "malformed" | "unknown"; readonly known: null }
  | {
      readonly ok: false;
      readonly reason: "key_revoked" | "key_expired" | "agent_suspended" | "tenant_suspended";
      readonly known: {
        readonly tenantId: string;
        readonly agentId: string;
        readonly slug: string;
        readonly keyId: string;
      };
    };

export type AgentKeyCheck = { readonly ok: true; readonly identity: AgentIdentity } | AgentKeyRefusal;
