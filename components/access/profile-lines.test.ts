import { describe, expect, it } from "vitest";
import { fromLines, toLines } from "./profile-lines";

describe("profile lines", () => {
  it("reads what it writes", () => {
    const tools = [
      { server: "files", tool: "read_*" },
      { server: "*", tool: "search" },
    ];
    expect(fromLines(toLines(tools))).toEqual(tools);
  });

  it("takes a server alone for all of its tools, and skips empty lines", () => {
    expect(fromLines("  files \n\n mail/send_mail ")).toEqual([
      { server: "files", tool: "*" },
      { server: "mail", tool: "send_mail" },
    ]);
    expect(fromLines("")).toEqual([]);
  });
});
