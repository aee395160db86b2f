import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { NoTools } from "@/components/access/no-tools";
import { NoTraffic } from "@/components/overview/no-traffic";
import { MeProvider } from "@/components/shell/me-context";
import { serversQuery } from "@/lib/client/servers";
import { ServersPage } from "./servers-page";

const PAGES = {
  servers: <ServersPage tenant="clinic" />,
  access: <NoTools tenant="clinic" hasTools={false} onClear={() => undefined} />,
  overview: <NoTraffic tenant="clinic" window="1h" hasServers={false} />,
};

it.each(Object.entries(PAGES))(
  "an empty page of %s leads to a first server, once, and only who may register",
  (_, page) => {
    const client = new QueryClient();
    client.setQueryData(serversQuery("clinic").queryKey, []);
    const links = (permissions: readonly string[]) =>
      renderToStaticMarkup(
        <QueryClientProvider client={client}>
          <MeProvider me={{ permissions } as never}>{page}</MeProvider>
        </QueryClientProvider>,
      ).match(/href="\/clinic\/servers\/new"/g)?.length ?? 0;
    expect([links(["servers:write"]), links(["servers:read"])]).toEqual([1, 0]);
  },
);
