import { describe, expect, it } from "vitest";
import { claimedEmail, verifiedEmail } from "@/lib/auth/verified-email";

describe("verifiedEmail", () => {
  it("takes an address only when the issuer vouches for it", () => {
    expect(verifiedEmail("oidc", { email: "Ada@Clinic.test", email_verified: true })).toBe("ada@clinic.test");
    expect(verifiedEmail("oidc", { email: "ada@clinic.test", email_verified: "true" })).toBe("ada@clinic.test");
    for (const email_verified of [false, "false", undefined, null, 0, {}]) {
      expect(verifiedEmail("oidc", { email: "ada@clinic.test", email_verified })).toBeNull();
    }
    expect(verifiedEmail("oidc", { email: ["ada@clinic.test"], email_verified: true })).toBeNull();
  });

  it("never makes another address of one: the sign of the kelvin is a letter of its own, and its small letter is k", () => {
    const kelvin = "mi\u212ae@clinic.test";
    expect(kelvin.toLowerCase()).toBe("mike@clinic.test");
    expect(verifiedEmail("oidc", { email: kelvin, email_verified: true })).toBe(kelvin);
    expect(verifiedEmail("entra", { email: kelvin, xms_edov: true })).toBe(kelvin);
    expect(verifiedEmail("entra", { preferred_username: `X${kelvin}` })).toBe(`x${kelvin}`);
  });

  it("takes an Entra principal name, never its editable email", () => {
    expect(verifiedEmail("entra", { email: "boss@victim.test", preferred_username: "eve@own.test" })).toBe(
      "eve@own.test",
    );
    expect(verifiedEmail("entra", { email: "boss@victim.test" })).toBeNull();
    expect(verifiedEmail("entra", { preferred_username: "boss_victim.test#EXT#@own.test" })).toBeNull();
    expect(verifiedEmail("entra", { email: "ada@own.test", xms_edov: true })).toBe("ada@own.test");
  });

  it("gives other issuers no benefit of the principal name", () => {
    expect(verifiedEmail("okta", { preferred_username: "ada@clinic.test" })).toBeNull();
    expect(verifiedEmail("oidc", { email: "ada@clinic.test", xms_edov: true })).toBeNull();
    expect(claimedEmail({ preferred_username: "Ada@clinic.test" })).toBe("ada@clinic.test");
  });
});
