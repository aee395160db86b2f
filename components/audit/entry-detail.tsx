"use client";
import type { ReactNode } from "react";
import { detailSections, type Fact, type Section } from "@/components/audit/detail-sections";
import { EntryStatus } from "@/components/audit/entry-status";
import { Id } from "@/components/ui/id";
import { JsonView } from "@/components/ui/json-view";
import { onPlainClick } from "@/components/ui/plain-click";
import { Status } from "@/components/ui/status";
import { Time } from "@/components/ui/time";
import type { EntryDetail as Entry } from "@/lib/audit/schemas";

type Props = {
  readonly entry: Entry;
  readonly hrefOf: (id: string) => string;
  readonly onOpen: (id: string) => void;
};

function FactValue({ fact }: { readonly fact: Fact }) {
  if (fact.as === "id") return <Id value={fact.text} label={fact.label.toLowerCase()} />;
  if (fact.as === "code") return <code className="font-mono text-xs break-all">{fact.text}</code>;
  return <span className="break-words">{fact.text}</span>;
}

function Facts({ section }: { readonly section: Section }) {
  return (
    <dl className="grid grid-cols-[152px_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
      {section.facts.map((fact) => (
        <div key={fact.label} className="contents">
          <dt className="py-0.5 text-muted">{fact.label}</dt>
          <dd className="min-w-0 py-0.5">
            <FactValue fact={fact} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Block({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="flex flex-col gap-2 border-t border-line pt-3">
      <h3 className="text-sm font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Payload({ entry }: { readonly entry: Entry }) {
  switch (entry.payloadAccess) {
    case "shown":
      return <JsonView value={entry.payload} label="Payload" />;
    case "forbidden":
      return (
        <p className="text-sm text-muted">
          Recorded and sealed. To read it you would need the permission{" "}
          <code className="font-mono text-xs">audit:payload</code>.
        </p>
      );
    case "none":
      return (
        <p className="text-sm text-muted">No arguments, result or changed values were recorded with this entry.</p>
      );
  }
}

function Related({ entry, hrefOf, onOpen }: Props) {
  return (
    <ul className="flex flex-col">
      {entry.related.map((other) => (
        <li key={other.id}>
          <a
            href={hrefOf(other.id)}
            onClick={onPlainClick(() => onOpen(other.id))}
            className="flex min-h-8 items-center gap-3 rounded-sm px-1 text-sm hover:bg-hover"
          >
            <span className="w-16 text-muted tabular-nums">#{other.seq}</span>
            <span className="min-w-0 flex-1 truncate font-mono text-xs text-accent-text underline underline-offset-2">
              {other.type}
            </span>
            <span className="text-muted">{other.outcome}</span>
            <Time iso={other.ts} className="text-muted" />
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Everything one entry says; its sentence stands above, in the drawer's title. */
export function EntryDetail({ entry, hrefOf, onOpen }: Props) {
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
        <EntryStatus entry={entry} />
        <Time iso={entry.ts} show="both" className="text-muted" />
      </div>
      {detailSections(entry).map((section) => (
        <Block key={section.title} title={section.title}>
          <Facts section={section} />
          {section.title === "Chain" ? (
            <p className="text-sm">
              {entry.hashValid ? (
                <Status state="success">Hash matches the stored bytes, recomputed just now</Status>
              ) : (
                <Status state="failure">Hash does not match the stored bytes</Status>
              )}
            </p>
          ) : null}
        </Block>
      ))}
      <Block title="Payload">
        <Payload entry={entry} />
      </Block>
      {entry.related.length > 0 ? (
        <Block title="Related entries">
          <Related entry={entry} hrefOf={hrefOf} onOpen={onOpen} />
        </Block>
      ) : null}
      <Block title="Record">
        <JsonView value={entry.record} label="Raw record" />
      </Block>
    </div>
  );
}
