// The integration tests mostly wait for groups and sessions, so more of them run side by side than there are cores.
[assembly: CollectionBehavior(MaxParallelThreads = 6)]
