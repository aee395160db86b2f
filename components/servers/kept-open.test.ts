import { expect, it } from "vitest";
import { keptOpen, keptOpenWords } from "./kept-open";

it("counts programs as far as they may run side by side, and connections as they are", () => {
  const kept = (transport: "stdio" | "http", maxChildren?: number) =>
    keptOpen({ transport, poolSize: 5, poolLimits: maxChildren === undefined ? null : { maxChildren } });
  expect([kept("http"), kept("stdio"), kept("stdio", 3), kept("stdio", 8)]).toEqual([5, 1, 3, 5]);
  expect(keptOpenWords("stdio").label).toContain("Programs");
  expect(keptOpenWords("http").label).toContain("connections");
});
