import { expect, it } from "vitest";
import { fromLines, fromRows, showCommand, toLines, toRows } from "./command-line";

it("shows a command whole, with its odd arguments told apart", () => {
  expect(showCommand("npx", ["-y", "@scope/server", "/my files"])).toBe('npx -y @scope/server "/my files"');
});
it("keeps arguments through the text box, empty ones included", () => {
  expect(fromLines(toLines(["a b", "", "c"]))).toEqual(["a b", "", "c"]);
  expect(fromLines("")).toEqual([]);
});
it("leaves out rows without a name", () => {
  expect(fromRows([{ name: " ", value: "x" }])).toBeUndefined();
  expect(fromRows([...toRows({ A: "1" }), { name: "", value: "" }])).toEqual({ A: "1" });
});
it("puts the environment before the command, as it is given to it", () => {
  expect(showCommand("node", ["a.js"], { FILE: "/my data/x" })).toBe('FILE="/my data/x" node a.js');
});
