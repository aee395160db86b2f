import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { OwnedAgents, type OwnedAgentsProps } from "@/components/members/suspend-dialog";

const one = { id: "a1", name: "Triage" };
const two = [one, { id: "a2", name: "Billing" }];
const shown = (over: Partial<OwnedAgentsProps>) =>
  renderToStaticMarkup(
    <OwnedAgents tenant="clinic" agents={two} mayStop stop onStopChange={() => undefined} {...over} />,
  );

describe("the agents of a member who leaves", () => {
  it("are named, with links, and go as well unless that is unticked", () => {
    const text = shown({});
    expect(text).toContain("They own 2 active agents");
    expect(text).toContain('href="/clinic/agents/a2"');
    expect(text).toContain('aria-checked="true"');
    expect(text).toContain("does not resume them");
    expect(shown({ stop: false })).toContain("Otherwise they keep working");
  });
  it("keep working where one may not suspend them, and nobody is asked about none", () => {
    const text = shown({ mayStop: false });
    expect(text).toContain("They keep working");
    expect(text).not.toContain("checkbox");
    expect(shown({ agents: [] })).toContain("no active agents");
    expect(shown({ agents: [] })).not.toContain("checkbox");
  });
});
