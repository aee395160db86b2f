"use client";
import { useId } from "react";
import { EVENT_WORDS } from "@/components/channels/channel-words";
import { Checkbox } from "@/components/ui/checkbox";
import { NOTICE_EVENTS, type NoticeEvent } from "@/lib/channels/schemas";

type Props = {
  readonly value: readonly NoticeEvent[];
  readonly error: string | undefined;
  readonly onChange: (value: readonly NoticeEvent[]) => void;
};

/** Of what in an alert's life a channel is told. */
export function EventChoice({ value, error, onChange }: Props) {
  const id = useId();
  const toggle = (event: NoticeEvent, isOn: boolean) =>
    onChange(isOn ? [...value, event] : value.filter((other) => other !== event));
  return (
    <fieldset className="flex flex-col gap-1" aria-describedby={error ? `${id}-error` : undefined}>
      <legend className="text-sm font-medium">Told of an alert when</legend>
      {NOTICE_EVENTS.map((event) => (
        <div key={event} className="flex items-center gap-2">
          <Checkbox
            id={`${id}-${event}`}
            checked={value.includes(event)}
            onCheckedChange={(checked) => toggle(event, checked === true)}
          />
          <label htmlFor={`${id}-${event}`} className="text-sm">
            {EVENT_WORDS[event]}
          </label>
        </div>
      ))}
      {error ? (
        <p id={`${id}-error`} role="alert" className="text-xs text-bad">
          {error}
        </p>
      ) : null}
    </fieldset>
  );
}
