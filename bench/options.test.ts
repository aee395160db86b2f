import { describe, expect, it } from "vitest";
import { BadOption, HELP, readOptions } from "@/bench/options";

describe("the options of the benchmark", () => {
  it("measures both upstreams in the main tables and the lean one elsewhere", () => {
    expect(readOptions([]).upstreams).toEqual(["lean", "sdk"]);
    expect(readOptions(["--series", "tools"]).upstreams).toEqual(["lean"]);
    expect(readOptions(["--peers", "--upstream", "sdk"]).upstreams).toEqual(["sdk"]);
  });

  it("reads lists and numbers", () => {
    const { callers, seconds, series, delayMs } = readOptions([
      "--callers",
      "1,64",
      "--seconds",
      "0.5",
      "--series",
      "all",
      "--delay",
      "50",
    ]);
    expect({ callers, seconds, delayMs }).toEqual({ callers: [1, 64], seconds: 0.5, delayMs: 50 });
    expect(series).toEqual(["tenants", "busy-tenants", "tools", "entries"]);
  });

  it.each([
    [["--callers", "many"]],
    [["--callers", "0"]],
    [["--only", "nginx"]],
    [["--series", "ghosts"]],
    [["--unknown"]],
  ])("refuses %j by name", (args) => {
    expect(() => readOptions(args)).toThrow(BadOption);
    expect(() => readOptions(args)).toThrow(/--(callers|only|series|unknown)/);
  });

  it("describes every option it takes", () => {
    for (const name of [
      "callers",
      "seconds",
      "only",
      "upstream",
      "client",
      "delay",
      "series",
      "rows",
      "rounds",
      "peers",
      "profile",
      "node",
      "help",
    ])
      expect(HELP).toMatch(new RegExp(`--${name}\\b`));
  });
});
