"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Ellipsis } from "lucide-react";
import { addressWords, hearsWords, KIND_WORDS } from "@/components/channels/channel-words";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { DropdownMenu, MenuItem, MenuSeparator } from "@/components/ui/dropdown-menu";
import { Status } from "@/components/ui/status";
import { Switch } from "@/components/ui/switch";
import { Td, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import type { ChannelView, TestResult } from "@/lib/channels/schemas";
import { changeChannel, channelKeys, testChannel } from "@/lib/client/channels";
import { problemText } from "@/lib/client/form-issues";

export type ChannelRowProps = {
  readonly tenant: string;
  readonly channel: ChannelView;
  readonly mayWrite: boolean;
  readonly onHistory: () => void;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
  readonly onRotate: () => void;
  readonly onTested: (result: TestResult) => void;
};

function ChannelSwitch({ tenant, channel, mayWrite }: Pick<ChannelRowProps, "tenant" | "channel" | "mayWrite">) {
  const client = useQueryClient();
  const turn = useMutation({
    mutationFn: (enabled: boolean) => changeChannel(tenant, { id: channel.id, baseVersion: channel.version, enabled }),
    onSuccess: (saved) => toast.success(`Channel ${saved.name} is ${saved.enabled ? "on" : "off"}.`),
    onError: (cause) => toast.error(problemText(cause)),
    onSettled: () => client.invalidateQueries({ queryKey: channelKeys.all(tenant) }),
  });
  return (
    <Switch
      aria-label={`Channel ${channel.name}`}
      checked={turn.isPending ? turn.variables : channel.enabled}
      disabled={!mayWrite || turn.isPending}
      onCheckedChange={(on) => turn.mutate(on)}
    />
  );
}

const LAST = { delivered: "success", failed: "failure", waiting: "pending" } as const;
const LAST_WORD = { delivered: "delivered", failed: "not delivered", waiting: "waiting" } as const;

function LastNotice({ last }: Pick<ChannelView, "last">) {
  if (last === null) return <span className="text-muted">nothing told yet</span>;
  return (
    <span className="inline-flex items-center gap-1.5" title={last.error ?? undefined}>
      <Status state={LAST[last.state]}>{LAST_WORD[last.state]}</Status> <Time iso={last.at} className="text-muted" />
    </span>
  );
}

function TestButton({ tenant, channel, onTested }: Pick<ChannelRowProps, "tenant" | "channel" | "onTested">) {
  const client = useQueryClient();
  const test = useMutation({
    mutationFn: () => testChannel(tenant, channel.id),
    onSuccess: onTested,
    onError: (cause) => toast.error(problemText(cause)),
    onSettled: () => client.invalidateQueries({ queryKey: channelKeys.all(tenant) }),
  });
  return (
    <Button size="sm" pending={test.isPending} onClick={() => test.mutate()} aria-label={`Test ${channel.name}`}>
      Test
    </Button>
  );
}

/** One channel: where it leads, what it hears, how the last notice fared, and what can be done with it. */
export function ChannelRow(props: ChannelRowProps) {
  const { channel, mayWrite, onHistory, onEdit, onDelete, onRotate } = props;
  return (
    <Tr>
      <Td>
        <ChannelSwitch {...props} />
      </Td>
      <Td primary className="max-sm:order-first">
        <span className="flex flex-wrap items-center gap-x-2">
          <Button
            variant="link"
            size="sm"
            className="text-sm"
            onClick={onHistory}
            aria-label={`History of ${channel.name}`}
          >
            {channel.name}
          </Button>
          {channel.enabled ? null : <Badge>off</Badge>}
        </span>
      </Td>
      <Td>{KIND_WORDS[channel.kind]}</Td>
      <Td className="max-w-64 truncate" title={channel.recipients.join(", ") || channel.address}>
        <span className="font-mono text-xs">{addressWords(channel)}</span>
      </Td>
      <Td label="hears">{hearsWords(channel)}</Td>
      <Td label="last" className="max-sm:w-full">
        <span className="inline-flex flex-wrap items-center gap-x-2">
          <LastNotice last={channel.last} />
          {channel.waiting > 0 ? <Badge tone="info">{channel.waiting} waiting</Badge> : null}
          {channel.failed > 0 ? (
            <Badge tone="bad" title="Given up within the last 24 hours">
              {channel.failed} given up
            </Badge>
          ) : null}
        </span>
      </Td>
      <Td className="text-right">
        {mayWrite ? (
          <span className="inline-flex gap-1">
            <TestButton {...props} />
            <DropdownMenu
              trigger={
                <Button size="icon-sm" variant="ghost" aria-label={`More for ${channel.name}`}>
                  <Ellipsis aria-hidden />
                </Button>
              }
            >
              <MenuItem onSelect={onEdit}>Edit</MenuItem>
              {channel.kind === "webhook" ? <MenuItem onSelect={onRotate}>Rotate signing secret</MenuItem> : null}
              <MenuSeparator />
              <MenuItem danger onSelect={onDelete}>
                Delete
              </MenuItem>
            </DropdownMenu>
          </span>
        ) : null}
      </Td>
    </Tr>
  );
}
