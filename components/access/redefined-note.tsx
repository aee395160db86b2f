"use client";
import { useQuery } from "@tanstack/react-query";
import { toolHref } from "@/components/figures/tool-href";
import { DefinitionLink } from "@/components/servers/definition-link";
import { Note } from "@/components/ui/note";
import { serversQuery } from "@/lib/client/servers";
import type { Redefined } from "./access-draft";

type Props = { readonly tenant: string; readonly redefined: readonly Redefined[] };

/** Staged tools that their servers defined anew meanwhile: what they say now is what saving approves. */
export function RedefinedNote({ tenant, redefined }: Props) {
  const servers = useQuery({ ...serversQuery(tenant), enabled: redefined.length > 0 });
  if (redefined.length === 0) return null;
  const idOf = (slug: string) => servers.data?.find((server) => server.slug === slug)?.id;
  return (
    <Note tone="warn">
      <p>Meanwhile these tools say something else than when you staged them. Saving approves what they say now:</p>
      <ul className="mt-1 list-disc pl-5">
        {redefined.map(({ key, server, tool, before, after }) => {
          const id = idOf(server);
          return (
            <li key={key}>
              <span className="font-mono">{key}</span>
              {before === after
                ? ": its description is as it was; its title, its parameters or its hints differ."
                : `: now “${after}”, before “${before}”.`}{" "}
              {id === undefined ? null : <DefinitionLink href={toolHref(tenant, id, tool, { tab: "definition" })} />}
            </li>
          );
        })}
      </ul>
    </Note>
  );
}
