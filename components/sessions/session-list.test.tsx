import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { SessionList } from "@/components/sessions/session-list";
import type { OwnSessionView, SessionView } from "@/lib/auth/schemas";

const seen: SessionView = {
  ...{ id: "s1", signedInAt: "2026-11-29T08:00:00.000Z", lastSeenAt: "2026-11-29T09:00:00.000Z" },
  ...{ expiresAt: "2026-11-29T20:00:00.000Z", address: "203.0.113.7" },
  userAgent: "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
};
const own: OwnSessionView = { ...seen, current: true, tenant: { slug: "clinic", name: "Lakeside Clinic" } };
const shown = (sessions: readonly (SessionView | OwnSessionView)[]) =>
  renderToStaticMarkup(<SessionList label="Sessions" sessions={sessions} actionOf={({ id }) => <b>end {id}</b>} />);

describe("a list of sessions", () => {
  it("says of each what, when, from where, and which one asks", () => {
    const text = shown([own, { ...own, id: "s2", current: false, tenant: null, address: null, userAgent: null }]);
    expect(text).toContain("Firefox on Windows");
    expect(text).toContain("203.0.113.7");
    expect(text).toContain(">in Lakeside Clinic");
    expect(text).toContain("end s2");
    expect(text).toContain("Unknown browser");
    expect(text).toContain("an unknown address");
    expect(text.match(/this one/g)).toHaveLength(1);
  });
  it("claims of a member's neither", () => {
    expect(shown([seen])).not.toMatch(/this one|>in /);
  });
});
