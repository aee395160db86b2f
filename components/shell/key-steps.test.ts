import { describe, expect, it } from "vitest";
import { keyAct } from "@/components/shell/key-steps";

const press = (key: string, more: Partial<Parameters<typeof keyAct>[0]> = {}) => ({
  key,
  ctrlOrMeta: false,
  alt: false,
  typing: false,
  ...more,
});

describe("keyAct", () => {
  it("opens the palette with Ctrl-K, even while typing and with single keys off", () => {
    expect(keyAct(press("k", { ctrlOrMeta: true, typing: true }), false, false)).toEqual({ kind: "palette" });
  });
  it("leaves letters alone while typing", () => {
    expect(keyAct(press("g", { typing: true }), false, true)).toBeNull();
  });
  it("goes to a section with g and its letter", () => {
    expect(keyAct(press("g"), false, true)).toEqual({ kind: "await-goto" });
    expect(keyAct(press("s"), true, true)).toEqual({ kind: "goto", key: "s" });
  });
  it("turns every single key off on request", () => {
    for (const key of ["g", "?", "/"]) expect(keyAct(press(key), false, false)).toBeNull();
  });
});
