import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccessMatrix } from "@/lib/access/schemas";
import { covers } from "@/lib/core/permission";
import { EMPTY_DRAFT } from "./access-draft";
import { moveFocus } from "./grid-keys";
import { cellOf, lockReason, matrixRows, NO_FILTER, tally, toggleCells } from "./matrix-cells";

const namespaces = fc.constantFrom("files", "crm", "platform", "admin");
const permissions = fc.tuple(namespaces, fc.constantFrom("*", "read", "write")).map(([n, a]) => `${n}:${a}`);

describe("cellOf", () => {
  it("allows exactly what covers() allows", () => {
    fc.assert(
      fc.property(fc.uniqueArray(permissions), fc.option(permissions), (held, needed) => {
        const cell = cellOf(new Set(held), needed);
        expect(cell.kind !== "none").toBe(covers(new Set(held), needed ?? "admin:*"));
        expect(cell.via === null || held.includes(cell.via)).toBe(true);
      }),
    );
  });
  it("calls an exact permission direct and a wildcard by its name", () => {
    expect(cellOf(new Set(["files:read"]), "files:read").kind).toBe("direct");
    expect(cellOf(new Set(["files:*"]), "files:read")).toEqual({
      kind: "wildcard",
      needed: "files:read",
      via: "files:*",
    });
    expect(cellOf(new Set(["admin:*"]), null)).toEqual({ kind: "wildcard", needed: "admin:*", via: "admin:*" });
  });
});

const tool = (name: string, permission: string | null, destructive = false) => ({
  name,
  permission,
  readOnly: false,
  destructive,
});
const matrix: AccessMatrix = {
  version: 1,
  roles: [],
  servers: [
    { slug: "files", name: "Files", tools: [tool("read", "files:read"), tool("drop", null, true)] },
    { slug: "crm", name: "CRM", tools: [tool("find", "crm:read")] },
  ],
};

describe("matrixRows", () => {
  it("puts each server before its tools and hides the tools of a folded one", () => {
    const rows = matrixRows(matrix, EMPTY_DRAFT, NO_FILTER, new Set(["files"]));
    expect(rows.map((row) => (row.kind === "server" ? row.server : row.key))).toEqual(["files", "crm", "crm/find"]);
  });
  it("finds unmapped tools by admin:* and drops empty servers", () => {
    const rows = matrixRows(matrix, EMPTY_DRAFT, { ...NO_FILTER, text: "admin:*" }, new Set());
    expect(rows).toHaveLength(2);
    expect(matrixRows(matrix, EMPTY_DRAFT, { ...NO_FILTER, only: "destructive" }, new Set())).toHaveLength(2);
  });
  it("tallies with the draft applied", () => {
    const draft = { map: { "files/drop": "files:read" }, grants: {} };
    expect(tally(matrix, draft, "files", new Set(["files:read"]))).toEqual({ allowed: 2, total: 2 });
  });
});

it("locks cells that one click cannot decide", () => {
  const [, row] = matrixRows(matrix, EMPTY_DRAFT, NO_FILTER, new Set());
  if (row?.kind !== "tool") throw new Error("expected a tool");
  const custom = { builtIn: false, name: "Clerk" };
  expect(lockReason(custom, row, cellOf(new Set(), row.permission))).toBeNull();
  expect(lockReason(custom, row, cellOf(new Set(["files:*"]), row.permission))).toContain("files:*");
  expect(lockReason({ ...custom, builtIn: true }, row, cellOf(new Set(), row.permission))).toContain("built-in");
  expect(lockReason(custom, { ...row, permission: null }, cellOf(new Set(), null))).toContain("unmapped");
});

it("moves the focus inside the grid and never out of it", () => {
  const size = { rows: 10, columns: 4, page: 5 };
  expect(moveFocus({ row: 0, column: 0 }, "ArrowUp", false, size)).toEqual({ row: 0, column: 0 });
  expect(moveFocus({ row: 2, column: 1 }, "End", true, size)).toEqual({ row: 9, column: 3 });
  expect(moveFocus({ row: 2, column: 1 }, "PageDown", false, size)).toEqual({ row: 7, column: 1 });
  expect(moveFocus({ row: 2, column: 1 }, "Home", false, size)).toEqual({ row: 2, column: 0 });
  expect(moveFocus({ row: 2, column: 1 }, "a", false, size)).toBeNull();
});

describe("toggleCells", () => {
  const role = { slug: "clerk", name: "Clerk", builtIn: false, permissions: ["crm:read"] };
  const rows = matrixRows(matrix, EMPTY_DRAFT, NO_FILTER, new Set());
  it("turns a whole server on, and off again, leaving unmapped tools alone", () => {
    const on = toggleCells(matrix, EMPTY_DRAFT, role, rows.slice(0, 1));
    expect(on.grants).toEqual({ "clerk files:read": true });
    expect(toggleCells(matrix, on, role, rows.slice(0, 1)).grants).toEqual({});
  });
  it("grants what a range lacks before it takes anything", () => {
    expect(toggleCells(matrix, EMPTY_DRAFT, role, rows).grants).toEqual({ "clerk files:read": true });
    expect(toggleCells(matrix, EMPTY_DRAFT, role, rows.slice(3)).grants).toEqual({ "clerk crm:read": false });
  });
  it("never changes a built-in role", () => {
    expect(toggleCells(matrix, EMPTY_DRAFT, { ...role, builtIn: true }, rows).grants).toEqual({});
  });
});
