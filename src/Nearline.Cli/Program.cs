using System.CommandLine;
using Nearline.Cli.Commands;
using Nearline.Cli.Console;

var root = new RootCommand("Nearline: the few hundred shows worth ranking for each user, before anyone asks.")
{
    SimulateCommand.Create(),
    ImportCommand.Create(),
    GraphCommand.Create(),
    TrainCommand.Create(),
    EvaluateCommand.Create(),
    NeighboursCommand.Create(),
    CompareCommand.Create(),
    CompareRunCommand.Create(),
    PublishCommand.Create(),
    ModelsCommand.Create(),
    BackfillCommand.Create(),
    DlqCommand.Create(),
    ReplayCommand.Create(),
    UserCommand.Create(),
    CapacityCommand.Create(),
    ApiKeyCommand.Create(),
    GetCommand.Create(),
    ExplainCommand.Create(),
    IndexCommand.Create(),
    UpCommand.Create(),
    DemoCommand.Create(),
};

return await CommandRunner.RunAsync(root.Parse(args)).ConfigureAwait(false);
