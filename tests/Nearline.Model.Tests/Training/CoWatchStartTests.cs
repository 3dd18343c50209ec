using Nearline.Model.Features;
using Nearline.Model.Graph;
using Nearline.Model.Tests.Support;
using Nearline.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model.Tests.Training;

[Collection(TorchTests.Name)]
public sealed class CoWatchStartTests
{
    [Fact]
    public void Id_embeddings_start_from_neighbours_and_rows_of_no_show_stay_as_they_are()
    {
        var world = TinyWorld.Create(40);
        var width = TinyWorld.Config.Width;
        using var scope = NewDisposeScope();
        float[] Ids(double start)
        {
            using var model = TrainedModel.Fresh(
                world, TinyWorld.Config, TrainingOptions.Small with { CoWatchStart = start }, 3, "", CPU);
            return model.Network.get_parameter("embedding.id.weight")!.detach().data<float>().ToArray();
        }

        var (random, started) = (Ids(0), Ids(2));
        var neighbours = CoWatchEmbedding.Of(world, width, 3);
        for (var i = 0; i < random.Length; i++)
        {
            var show = i - (FeatureSchema.FirstShowRow * width);
            Assert.Equal(show < 0 ? 0 : 2 * neighbours[show], started[i] - random[i], 1e-4f);
        }
    }
}
