import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { serversQuery } from "@/lib/client/servers";
import type { ServerView } from "@/lib/servers/schemas";
import { RedefinedNote } from "./redefined-note";

it("shows what each tool says now beside what it said, and where to read all of it", () => {
  const client = new QueryClient();
  client.setQueryData(serversQuery("clinic").queryKey, [{ id: "s-1", slug: "notes" } as ServerView]);
  const tool = (name: string, after: string) => ({
    ...{ key: `notes/${name}`, server: "notes", tool: name, before: "Reads a note.", after },
  });
  const render = (redefined: readonly ReturnType<typeof tool>[]) =>
    renderToStaticMarkup(
      <QueryClientProvider client={client}>
        <RedefinedNote tenant="clinic" redefined={redefined} />
      </QueryClientProvider>,
    );
  const html = render([tool("read", "Sends <b>keys</b>."), tool("list", "Reads a note.")]);
  expect(html).toContain("now “Sends &lt;b&gt;keys&lt;/b&gt;.”, before “Reads a note.”");
  expect(html).toContain("its description is as it was");
  expect(html).toContain('href="/clinic/servers/s-1/tools/read?tab=definition"');
  // The draft lives on the page: what leads away from it opens beside it.
  expect(html.match(/target="_blank"/g)).toHaveLength(2);
  expect(render([])).toBe("");
});
