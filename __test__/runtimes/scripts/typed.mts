interface Job {
  readonly by: number;
}

export const triple = (n: number, job: Job = { by: 3 }): number => n * job.by;
