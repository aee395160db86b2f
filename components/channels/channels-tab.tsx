"use client";
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { DeleteChannel, RotateSecret } from "@/components/channels/channel-acts";
import { ChannelDialog } from "@/components/channels/channel-dialog";
import { ChannelHistory } from "@/components/channels/channel-history";
import { ChannelRow } from "@/components/channels/channel-row";
import { testWords } from "@/components/channels/channel-words";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Note } from "@/components/ui/note";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import type { ChannelView, TestResult } from "@/lib/channels/schemas";
import { channelsQuery } from "@/lib/client/channels";

type Act =
  | { readonly kind: "edit" | "delete" | "rotate" | "history"; readonly channel: ChannelView }
  | { readonly kind: "create" };
type Tested = { readonly name: string; readonly result: TestResult };

/** Who hears of alerts, and whether they do. */
export function ChannelsTab({ tenant }: { readonly tenant: string }) {
  const mayWrite = useMay("alerts:write");
  const channels = useQuery(channelsQuery(tenant));
  const [act, setAct] = useState<Act | null>(null);
  const [tested, setTested] = useState<Tested | null>(null);
  if (channels.error && !channels.data)
    return <ErrorState title="The channels could not be loaded" error={channels.error} onRetry={channels.refetch} />;
  if (!channels.data) return <SkeletonRows label="Loading channels" />;
  const { items, missingForEmail } = channels.data;
  const done = () => setAct(null);
  return (
    <Section
      title="Channels"
      note="Notices are tried again for a day, at growing intervals, and reach each channel in the order of their alert."
      actions={
        mayWrite ? (
          <Button variant="primary" onClick={() => setAct({ kind: "create" })}>
            <Plus aria-hidden />
            Create channel
          </Button>
        ) : null
      }
    >
      <div aria-live="polite" className="contents">
        {tested === null ? null : (
          <Note tone={tested.result.delivered ? "info" : "warn"}>{testWords(tested.name, tested.result)}</Note>
        )}
      </div>
      <Table label="Channels">
        <Thead>
          <Tr>
            <Th>On</Th>
            <Th>Channel</Th>
            <Th>Kind</Th>
            <Th>Leads to</Th>
            <Th>Hears of</Th>
            <Th>Last notice</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </Tr>
        </Thead>
        <Tbody>
          <ConsoleRow />
          {items.map((channel) => (
            <ChannelRow
              key={channel.id}
              tenant={tenant}
              channel={channel}
              mayWrite={mayWrite}
              onHistory={() => setAct({ kind: "history", channel })}
              onEdit={() => setAct({ kind: "edit", channel })}
              onDelete={() => setAct({ kind: "delete", channel })}
              onRotate={() => setAct({ kind: "rotate", channel })}
              onTested={(result) => setTested({ name: channel.name, result })}
            />
          ))}
        </Tbody>
      </Table>
      {items.length === 0 ? (
        <p className="text-sm text-muted">
          Nobody hears of alerts who does not look here. A webhook, a Slack-compatible address or e-mail tells them.
        </p>
      ) : null}
      <OpenAct tenant={tenant} act={act} missingForEmail={missingForEmail} onClose={done} />
    </Section>
  );
}

/** The console itself needs no setting up and cannot fail to be told. */
function ConsoleRow() {
  return (
    <Tr>
      <Td>
        <Status state="enabled">always</Status>
      </Td>
      <Td primary className="font-medium max-sm:order-first">
        Console
      </Td>
      <Td>In-console</Td>
      <Td>the list of alerts</Td>
      <Td label="hears">everything</Td>
      <Td hideNarrow />
      <Td hideNarrow />
    </Tr>
  );
}

type OpenActProps = {
  readonly tenant: string;
  readonly act: Act | null;
  readonly missingForEmail: readonly string[];
  readonly onClose: () => void;
};

function OpenAct({ tenant, act, missingForEmail, onClose }: OpenActProps) {
  if (act === null) return null;
  switch (act.kind) {
    case "create":
      return <ChannelDialog tenant={tenant} edited={null} missingForEmail={missingForEmail} onClose={onClose} />;
    case "edit":
      return <ChannelDialog tenant={tenant} edited={act.channel} missingForEmail={missingForEmail} onClose={onClose} />;
    case "delete":
      return <DeleteChannel tenant={tenant} channel={act.channel} onClose={onClose} />;
    case "rotate":
      return <RotateSecret tenant={tenant} channel={act.channel} onClose={onClose} />;
    case "history":
      return <ChannelHistory tenant={tenant} channel={act.channel} onClose={onClose} />;
  }
}
