using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Index;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Index;

public sealed class ItemMaskTests
{
    [Fact]
    public void A_mask_behaves_as_a_set_of_rows() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var random = new Random(seed);
            var length = random.Next(200);
            var (mask, set) = Random(random, length);
            for (var step = 0; step < 20; step++)
            {
                var row = length == 0 ? 0 : random.Next(length);
                var (other, otherSet) = Random(random, length);
                switch (random.Next(length == 0 ? 2 : 4))
                {
                    case 0:
                        mask.And(other);
                        set.IntersectWith(otherSet);
                        break;
                    case 1:
                        mask.AndNot(other);
                        set.ExceptWith(otherSet);
                        break;
                    case 2:
                        mask.Add(row);
                        set.Add(row);
                        break;
                    default:
                        mask.Remove(row);
                        set.Remove(row);
                        break;
                }

                Assert.Equal(set.Count, mask.Count);
                Assert.Equal(set.Order(), Enumerable.Range(0, length).Where(r => mask[r]));
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    public void All_and_none_have_every_row_and_no_row(int length)
    {
        Assert.Equal(length, ItemMask.All(length).Count);
        Assert.Equal(0, ItemMask.None(length).Count);
    }

    [Fact]
    public void A_clone_changes_by_itself()
    {
        var mask = ItemMask.All(70);
        var clone = mask.Clone();
        clone.Remove(69);
        Assert.Equal((70, 69), (mask.Count, clone.Count));
    }

    [Fact]
    public void Rows_and_masks_of_another_length_are_refused()
    {
        var mask = ItemMask.All(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => mask[3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => mask.Remove(-1));
        Assert.Contains("length: 4: must be 3", Assert.Throws<ArgumentException>(() => mask.And(ItemMask.All(4))).Message, StringComparison.Ordinal);
    }

    private static (ItemMask Mask, HashSet<int> Set) Random(Random random, int length)
    {
        var set = Enumerable.Range(0, length).Where(_ => random.Next(2) == 0).ToHashSet();
        return (ItemMask.Of(length, set.Contains), set);
    }
}
