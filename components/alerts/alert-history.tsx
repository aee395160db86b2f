import { BellOff, BellRing, Check, Hourglass, type LucideIcon, MessageSquare, Send, TriangleAlert } from "lucide-react";
import { type Tone, toneText } from "@/components/ui/badge";
import { cn } from "@/components/ui/cn";
import { Time } from "@/components/ui/time";
import type { AlertDetailView } from "@/lib/alerts/schemas";

type Shown = { readonly icon: LucideIcon; readonly tone: Tone; readonly word: string };
type Happened = AlertDetailView["history"][number];

const SHOWN: Readonly<Record<Happened["what"], Shown>> = {
  pending: { icon: Hourglass, tone: "info", word: "Began" },
  firing: { icon: BellRing, tone: "bad", word: "Fired" },
  resolved: { icon: Check, tone: "ok", word: "Over" },
  acknowledged: { icon: BellOff, tone: "info", word: "Acknowledged" },
  notice_delivered: { icon: Send, tone: "neutral", word: "Notice sent" },
  notice_failed: { icon: TriangleAlert, tone: "warn", word: "Notice failed" },
  note: { icon: MessageSquare, tone: "neutral", word: "Note" },
};

/** What happened to an alert, from its beginning. */
export function AlertHistory({ history }: { readonly history: AlertDetailView["history"] }) {
  return (
    <ol className="flex flex-col gap-3 text-sm">
      {history.map((happened) => (
        <Line key={`${happened.at} ${happened.what} ${happened.text}`} happened={happened} />
      ))}
    </ol>
  );
}

function Line({ happened: { at, what, who, text } }: { readonly happened: Happened }) {
  const { icon: Icon, tone, word } = SHOWN[what];
  return (
    <li className="flex items-start gap-2">
      <Icon aria-hidden className={cn("mt-0.5 size-4 shrink-0", toneText[tone])} />
      <div className="min-w-0 wrap-anywhere">
        <p className="text-xs text-muted">
          <strong className={cn("text-sm font-medium", toneText[tone])}>{word}</strong> <Time iso={at} show="both" />
          {who === null ? "" : `, ${who}`}
        </p>
        {text === `${word}.` ? null : <p>{text}</p>}
      </div>
    </li>
  );
}
