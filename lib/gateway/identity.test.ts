import { describe, expect, it } from "vitest";
import { userIdentity } from "@/lib/gateway/identity";

describe("a person on the road", () => {
  const actor = {
    kind: "user",
    userId: "u",
    memberId: "m",
    email: "a@b.test",
    name: "A",
    platformAdmin: false,
    authMethod: "api_token",
  } as const;
  const ctx = { requestId: "r", tenantId: "t", permissions: new Set<string>(), ip: null, userAgent: null };

  it("is named with the token or session that was presented, as an agent is with its key", () => {
    expect(userIdentity({ ...ctx, actor: { ...actor, credentialId: "token-1" } }).credentialId).toBe("token-1");
    expect(userIdentity({ ...ctx, actor }).credentialId).toBeNull();
  });
});
