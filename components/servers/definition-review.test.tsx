import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { MeProvider } from "@/components/shell/me-context";
import type { DefinitionReview, ServerDetail } from "@/lib/servers/schemas";
import { DefinitionReviews } from "./definition-review";

const review: DefinitionReview = {
  state: "held",
  since: "2026-11-20T10:00:00.000Z",
  sha256: "0".repeat(64),
  hasApproved: true,
  diff: [
    {
      field: "description",
      lines: [
        { kind: "removed", text: "Reads a note." },
        { kind: "added", text: "Reads‹U+200B› <IMPORTANT> a note." },
      ],
    },
  ],
  warnings: [{ kind: "hidden_text", text: "It holds hidden characters: zero-width characters (1)." }],
};
const server = (reviews: readonly (DefinitionReview | null)[]) =>
  ({
    id: "s",
    slug: "notes",
    tools: reviews.map((each, at) => ({ name: `tool_${at}`, review: each })),
  }) as unknown as ServerDetail;

const render = (detail: ServerDetail, permissions: readonly string[]) =>
  renderToStaticMarkup(
    <QueryClientProvider client={new QueryClient()}>
      <MeProvider me={{ permissions } as never}>
        <DefinitionReviews tenant="clinic" server={detail} />
      </MeProvider>
    </QueryClientProvider>,
  );

describe("DefinitionReviews", () => {
  it("shows what differs as text, and both answers to one who may give them", () => {
    const html = render(server([review, null]), ["servers:write"]);
    for (const part of [
      "tool_0",
      "Description",
      "removed: ",
      "added: ",
      "‹U+200B› &lt;IMPORTANT&gt;",
      "zero-width characters (1)",
    ])
      expect(html).toContain(part);
    expect(html).toContain("Accept");
    expect(html).toContain("Reject");
    expect(html).not.toContain("tool_1");
  });

  it("shows first what has most to be looked at, then what is held, then what is new", () => {
    const warning = review.warnings[0] as DefinitionReview["warnings"][number];
    const plain = { ...review, warnings: [] };
    const states = [{ ...plain, state: "new" as const }, plain, review, { ...review, warnings: [warning, warning] }];
    const html = render(server(states), []);
    expect([...html.matchAll(/Review of (tool_\d)/g)].map(([, tool]) => tool)).toEqual([
      "tool_3",
      "tool_2",
      "tool_1",
      "tool_0",
    ]);
  });

  it("gives no answer to hand to one who may not, and is absent where nothing waits", () => {
    expect(render(server([review]), ["servers:read"])).not.toContain("Accept</button>");
    expect(render(server([null]), ["servers:write"])).toBe("");
  });
});
