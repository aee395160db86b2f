import { afterEach, expect, it, vi } from "vitest";
import { ApiProblem } from "@/lib/client/api";
import { makeQueryClient } from "@/lib/client/query-client";

afterEach(() => vi.unstubAllGlobals());

it("leaves for the sign-in page when the session has ended, and for no other refusal", async () => {
  const assign = vi.fn();
  vi.stubGlobal("window", { location: { pathname: "/clinic/audit", search: "?range=1h", assign } });
  const client = makeQueryClient();
  const ask = (code: string, status: number) =>
    client.query({
      queryKey: [code],
      queryFn: () => Promise.reject(new ApiProblem({ code, status, requestId: "r", detail: "no" })),
    });
  await expect(ask("permission_denied", 403)).rejects.toThrow();
  expect(assign).not.toHaveBeenCalled();
  await expect(ask("unauthenticated", 401)).rejects.toThrow();
  expect(assign.mock.calls).toEqual([["/sign-in?callbackUrl=%2Fclinic%2Faudit%3Frange%3D1h"]]);
});
