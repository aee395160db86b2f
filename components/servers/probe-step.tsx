"use client";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Section } from "@/components/ui/section";
import type { RegisterServerInput, ServerProbe } from "@/lib/servers/schemas";
import { showCommand } from "./command-line";
import { ProbeView } from "./probe-view";

export type ProbeStepProps = {
  readonly probe: ServerProbe;
  readonly endpoint: RegisterServerInput["endpoint"];
  readonly name: string;
  readonly probing: boolean;
  readonly registering: boolean;
  readonly onBack: () => void;
  readonly onProbe: () => void;
  readonly onRegister: () => void;
};

/** What answered, before anything is stored. */
export function ProbeStep(props: ProbeStepProps) {
  const { probe, endpoint } = props;
  const address =
    endpoint.transport === "stdio" ? showCommand(endpoint.command, endpoint.args ?? [], endpoint.env) : endpoint.url;
  return (
    <div className="flex max-w-4xl flex-col gap-6">
      <Section title={`What ${props.name} answered`}>
        <ProbeView probe={probe} transport={endpoint.transport} address={address} toolCount={probe.tools.length} />
        {probe.tools.length > 0 ? (
          <ul aria-label="Tools" className="flex flex-wrap gap-1.5">
            {probe.tools.map((tool) => (
              <li key={tool.name}>
                <Badge className="font-mono" title={tool.description}>
                  {tool.name}
                </Badge>
              </li>
            ))}
          </ul>
        ) : null}
      </Section>
      <div className="flex flex-wrap gap-2">
        <Button onClick={props.onBack}>Back</Button>
        <Button pending={props.probing} onClick={props.onProbe}>
          Probe again
        </Button>
        <Button variant="primary" disabled={!probe.ok} pending={props.registering} onClick={props.onRegister}>
          Register and map its tools
        </Button>
      </div>
    </div>
  );
}
