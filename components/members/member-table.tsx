"use client";
import { useState } from "react";
import { MemberSessionsDialog } from "@/components/sessions/member-sessions-dialog";
import { useMay, useMe } from "@/components/shell/me-context";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { MemberView } from "@/lib/members/schemas";
import { type MemberAct, MemberDialogs } from "./member-dialogs";

/** One line per member. */
export function MemberTable({ tenant, members }: { readonly tenant: string; readonly members: readonly MemberView[] }) {
  const { userId } = useMe();
  const mayWrite = useMay("members:write");
  const [act, setAct] = useState<MemberAct | null>(null);
  const [watched, setWatched] = useState<MemberView | null>(null);
  return (
    <>
      <Table aria-label="Members">
        <Thead>
          <tr>
            <Th>Name</Th>
            <Th>Status</Th>
            <Th>Roles</Th>
            <Th>Last sign-in</Th>
            <Th>Joined</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </Thead>
        <Tbody>
          {members.map((member) => (
            <MemberRow
              key={member.id}
              member={member}
              self={member.userId === userId}
              mayWrite={mayWrite}
              onAct={(what) => setAct({ member, what })}
              onShowSessions={() => setWatched(member)}
            />
          ))}
        </Tbody>
      </Table>
      {act ? <MemberDialogs tenant={tenant} act={act} onClose={() => setAct(null)} /> : null}
      {watched ? (
        <MemberSessionsDialog
          tenant={tenant}
          member={watched}
          self={watched.userId === userId}
          onClose={() => setWatched(null)}
        />
      ) : null}
    </>
  );
}

function MemberRow({
  member,
  self,
  mayWrite,
  onAct,
  onShowSessions,
}: {
  readonly member: MemberView;
  readonly self: boolean;
  readonly mayWrite: boolean;
  readonly onAct: (what: MemberAct["what"]) => void;
  readonly onShowSessions: () => void;
}) {
  return (
    <Tr>
      <Td primary>
        <span className="font-medium">{member.name}</span> {self ? <Badge>you</Badge> : null}{" "}
        <span className="text-xs text-muted">{member.email}</span>
      </Td>
      <Td>
        <Status state={member.status} />
      </Td>
      <Td className="whitespace-normal">{member.roles.join(", ") || <span className="text-muted">none</span>}</Td>
      <Td label="last sign-in">
        {member.lastSignInAt ? <Time iso={member.lastSignInAt} /> : <span className="text-muted">never</span>}
      </Td>
      <Td label="joined">
        <Time iso={member.createdAt} />
      </Td>
      <Td className="text-right">
        {mayWrite ? (
          <span className="inline-flex gap-1">
            <Button size="sm" aria-label={`Edit roles of ${member.name}`} onClick={() => onAct("roles")}>
              Edit roles
            </Button>
            <Button size="sm" aria-label={`Sessions of ${member.name}`} onClick={onShowSessions}>
              Sessions
            </Button>
            <Button
              size="sm"
              variant="ghost"
              aria-label={`${member.status === "active" ? "Suspend" : "Resume"} ${member.name}`}
              disabled={self}
              title={self ? "Nobody can suspend themselves" : undefined}
              onClick={() => onAct(member.status === "active" ? "suspend" : "resume")}
            >
              {member.status === "active" ? "Suspend" : "Resume"}
            </Button>
          </span>
        ) : null}
      </Td>
    </Tr>
  );
}
