// Seeds, default types and tensor counts belong to the process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
