import { readyAnswer } from "@/lib/http/probe-answers";

export const dynamic = "force-dynamic";

export const GET = readyAnswer;
