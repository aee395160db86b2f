"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronDown, ChevronUp } from "lucide-react";
import Link from "next/link";
import { EntryDetail } from "@/components/audit/entry-detail";
import { Button, buttonClass } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Drawer } from "@/components/ui/drawer";
import { ErrorState } from "@/components/ui/error-state";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { EntryDetail as Entry } from "@/lib/audit/schemas";
import { queryString } from "@/lib/client/api";
import { entryQuery, knownSentence } from "@/lib/client/audit";

type Props = {
  readonly tenant: string;
  readonly id: string;
  readonly hrefOf: (id: string) => string;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
};

function Neighbours({ entry, onOpen }: { readonly entry: Entry | undefined; readonly onOpen: (id: string) => void }) {
  const { previousId = null, nextId = null } = entry ?? {};
  return (
    <>
      <Button
        variant="ghost"
        size="icon-sm"
        aria-label="Next entry (newer)"
        title="Next entry (newer)"
        disabled={nextId === null}
        onClick={() => nextId !== null && onOpen(nextId)}
      >
        <ChevronUp aria-hidden />
      </Button>
      <Button
        variant="ghost"
        size="icon-sm"
        aria-label="Previous entry (older)"
        title="Previous entry (older)"
        disabled={previousId === null}
        onClick={() => previousId !== null && onOpen(previousId)}
      >
        <ChevronDown aria-hidden />
      </Button>
    </>
  );
}

function Footer({ tenant, entry }: { readonly tenant: string; readonly entry: Entry }) {
  const more = (filter: Record<string, string>) => `/${tenant}/audit${queryString(filter)}`;
  const trace = entry.record["trace_id"];
  return (
    <>
      <CopyButton withText label="Copy link" value={() => window.location.href} />
      <Link className={buttonClass()} href={more({ caller: entry.actor.id })}>
        All of this caller
      </Link>
      {entry.server !== null && entry.tool !== null ? (
        <Link className={buttonClass()} href={more({ server: entry.server, tool: entry.tool })}>
          All of this tool
        </Link>
      ) : null}
      {typeof trace === "string" ? (
        <Link className={buttonClass()} href={more({ trace })}>
          All of this trace
        </Link>
      ) : null}
    </>
  );
}

/** One entry, at the right of the list it was found in. */
export function EntryDrawer({ tenant, id, hrefOf, onOpen, onClose }: Props) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(entryQuery(tenant, id));
  const sentence = data?.sentence ?? knownSentence(client, tenant, id);
  return (
    <Drawer
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={sentence ?? (error === null ? "Entry" : "This entry could not be opened")}
      actions={<Neighbours entry={data} onOpen={onOpen} />}
      footer={data ? <Footer tenant={tenant} entry={data} /> : undefined}
    >
      {data ? <EntryDetail entry={data} hrefOf={hrefOf} onOpen={onOpen} /> : null}
      {data === undefined && error === null ? <SkeletonRows label="Loading entry" /> : null}
      {error === null ? null : <ErrorState error={error} onRetry={refetch} />}
    </Drawer>
  );
}
