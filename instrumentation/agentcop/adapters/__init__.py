"""One file a framework: where its tool calls pass. Data only; judging is the processor's."""
