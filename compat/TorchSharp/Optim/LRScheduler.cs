using static TorchSharp.torch.optim;

namespace TorchSharp;

public static partial class torch
{
    public static partial class optim
    {
        public static class lr_scheduler
        {
            /// <summary>Sets the learning rates of an optimizer's groups, epoch by epoch; its construction is epoch 0.</summary>
            public abstract class LRScheduler
            {
                protected int _step_count;

                internal Optimizer Optimizer = null!;
                internal int Epoch = -1;
                internal List<double> Base = [];
                internal List<double> Last = [];
                private readonly bool verbose;

                protected LRScheduler()
                {
                }

                protected LRScheduler(Optimizer optimizer, int last_epoch = -1, bool verbose = false)
                {
                    Optimizer = optimizer ?? throw new ArgumentNullException(nameof(optimizer));
                    Epoch = last_epoch;
                    this.verbose = verbose;
                    Base = optimizer.ParamGroups.Select(static g => g.InitialLearningRate).ToList();
                    Last = optimizer.ParamGroups.Select(static g => g.LearningRate).ToList();
                }

                public virtual void step() => step(null);

                /// <summary>Goes on to the next epoch, or to the one given.</summary>
                public virtual void step(int? epoch)
                {
                    _step_count++;
                    Epoch = epoch ?? (Epoch + 1);
                    var rates = (epoch is null ? get_lr() : get_closed_form_lr()).ToList();
                    foreach (var (group, k) in Optimizer.ParamGroups.ToList().Select(static (g, k) => (g, k)))
                    {
                        if (verbose && Last[k] != rates[k])
                        {
                            Console.WriteLine($"Adjusting learning rate to {rates[k]}");
                        }

                        group.LearningRate = Last[k] = rates[k];
                    }
                }

                /// <summary>The metric matters only to schedulers that watch one.</summary>
                public virtual void step(double current, int? epoch = null) => step(epoch);

                public IEnumerable<double> get_last_lr() => Last;

                protected virtual IEnumerable<double> get_lr() => Current(static r => r);

                protected virtual IEnumerable<double> get_closed_form_lr() => get_lr();

                private protected IEnumerable<double> Current(Func<double, double> change) => Optimizer.ParamGroups.Select(g => change(g.LearningRate));

                private protected IEnumerable<double> FromBase(Func<double, double> change) => Base.Select(change);
            }

            public static class impl
            {
                /// <summary>The initial rate times a function of the epoch.</summary>
                public class LambdaLR : LRScheduler
                {
                    private readonly Func<int, double>[] factors;

                    public LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, optimizer.ParamGroups.Select(_ => lr_lambda), last_epoch, verbose)
                    {
                    }

                    public LambdaLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        factors = lr_lambdas.ToArray();
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Base.Select((rate, k) => rate * factors[k](Epoch));
                }

                /// <summary>The rate before times a function of the epoch.</summary>
                public class MultiplicativeLR : LRScheduler
                {
                    private readonly Func<int, double>[] factors;

                    public MultiplicativeLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, optimizer.ParamGroups.Select(_ => lr_lambda), last_epoch, verbose)
                    {
                    }

                    public MultiplicativeLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        factors = lr_lambdas.ToArray();
                        step();
                    }

                    protected override IEnumerable<double> get_lr() =>
                        Optimizer.ParamGroups.Select((g, k) => Epoch > 0 ? g.LearningRate * factors[k](Epoch) : g.LearningRate);
                }

                /// <summary>Times gamma at every step_size-th epoch.</summary>
                public class StepLR : LRScheduler
                {
                    private readonly int size;
                    private readonly double gamma;

                    public StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        (size, this.gamma) = (step_size, gamma);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Current(r => Epoch > 0 && Epoch % size == 0 ? r * gamma : r);

                    protected override IEnumerable<double> get_closed_form_lr() => FromBase(r => r * Math.Pow(gamma, Epoch / size));
                }

                /// <summary>Times gamma at each milestone, as often as it is listed.</summary>
                public class MultiStepLR : LRScheduler
                {
                    private readonly IList<int> milestones;
                    private readonly double gamma;

                    public MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        (this.milestones, this.gamma) = (milestones, gamma);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Current(r => r * Math.Pow(gamma, milestones.Count(m => m == Epoch)));

                    protected override IEnumerable<double> get_closed_form_lr() => FromBase(r => r * Math.Pow(gamma, milestones.Count(m => m <= Epoch)));
                }

                /// <summary>Times gamma at every epoch.</summary>
                public class ExponentialLR : LRScheduler
                {
                    private readonly double gamma;

                    public ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        this.gamma = gamma;
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Current(r => Epoch > 0 ? r * gamma : r);

                    protected override IEnumerable<double> get_closed_form_lr() => FromBase(r => r * Math.Pow(gamma, Epoch));
                }

                /// <summary>The rate times factor for total_iters epochs, then the rate itself.</summary>
                public class ConstantLR : LRScheduler
                {
                    private readonly double factor;
                    private readonly int total;

                    public ConstantLR(Optimizer optimizer, double factor = 1.0 / 3, int total_iters = 5, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        (this.factor, total) = (factor, total_iters);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Current(r => Epoch == 0 ? r * factor : Epoch == total ? r / factor : r);

                    protected override IEnumerable<double> get_closed_form_lr() => FromBase(r => Epoch < total ? r * factor : r);
                }

                /// <summary>From start_factor to end_factor of the rate in total_iters even steps.</summary>
                public class LinearLR : LRScheduler
                {
                    private readonly double start;
                    private readonly double end;
                    private readonly int total;

                    public LinearLR(Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1, int total_iters = 5, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        (start, end, total) = (start_factor, end_factor, total_iters);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Current(r =>
                        Epoch == 0 ? r * start
                        : Epoch > total ? r
                        : r * (1 + ((end - start) / ((total * start) + ((Epoch - 1) * (end - start))))));

                    protected override IEnumerable<double> get_closed_form_lr() =>
                        FromBase(r => r * (start + ((end - start) * Math.Min(total, Epoch) / total)));
                }

                /// <summary>Down to zero in total_iters steps along a power of what is left.</summary>
                public class PolynomialLR : LRScheduler
                {
                    private readonly int total;
                    private readonly double power;

                    public PolynomialLR(Optimizer optimizer, int total_iters = 5, double power = 1, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        (total, this.power) = (total_iters, power);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Current(r =>
                        Epoch == 0 || Epoch > total ? r : r * Math.Pow((1.0 - ((double)Epoch / total)) / (1.0 - ((double)(Epoch - 1) / total)), power));

                    protected override IEnumerable<double> get_closed_form_lr() =>
                        FromBase(r => r * Math.Pow(1.0 - ((double)Math.Min(total, Epoch) / total), power));
                }

                /// <summary>Half a cosine from the rate to eta_min in T_max epochs, and back.</summary>
                public class CosineAnnealingLR : LRScheduler
                {
                    private readonly double period;
                    private readonly double least;

                    public CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        (period, least) = (T_max, eta_min);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Optimizer.ParamGroups.Select((g, k) =>
                        Epoch == 0 ? g.LearningRate
                        : (Epoch - 1 - period) % (2 * period) == 0 ? g.LearningRate + ((Base[k] - least) * (1 - Math.Cos(Math.PI / period)) / 2)
                        : ((1 + Math.Cos(Math.PI * Epoch / period)) / (1 + Math.Cos(Math.PI * (Epoch - 1) / period)) * (g.LearningRate - least)) + least);

                    protected override IEnumerable<double> get_closed_form_lr() =>
                        FromBase(r => least + ((r - least) * (1 + Math.Cos(Math.PI * Epoch / period)) / 2));
                }

                /// <summary>One scheduler after the other, changing at the milestones.</summary>
                public class SequentialLR : LRScheduler
                {
                    private readonly LRScheduler[] schedulers;
                    private readonly int[] milestones;

                    public SequentialLR(Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1)
                        : base(optimizer, last_epoch + 1)
                    {
                        this.schedulers = schedulers.ToArray();
                        this.milestones = milestones.ToArray();
                        if (this.milestones.Length != this.schedulers.Length - 1)
                        {
                            throw new ArgumentException($"{this.schedulers.Length} schedulers need {this.schedulers.Length - 1} milestones, not {this.milestones.Length}.", nameof(milestones));
                        }

                        if (this.schedulers.Any(s => !ReferenceEquals(s.Optimizer, optimizer)))
                        {
                            throw new ArgumentException("All schedulers must be bound to the same optimizer.", nameof(schedulers));
                        }

                        foreach (var group in optimizer.ParamGroups)
                        {
                            group.LearningRate = group.InitialLearningRate;
                        }

                        foreach (var scheduler in this.schedulers)
                        {
                            scheduler.Epoch--;
                        }

                        this.schedulers[0].step();
                        Last = this.schedulers[0].Last;
                    }

                    protected override IEnumerable<double> get_lr()
                    {
                        var active = milestones.Count(m => m <= Epoch);
                        if (active > 0 && milestones[active - 1] == Epoch)
                        {
                            schedulers[active].step(0);
                        }
                        else
                        {
                            schedulers[active].step();
                        }

                        return Current(static r => r).ToList();
                    }
                }
            }

            public static LRScheduler LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) => new impl.LambdaLR(optimizer, lr_lambda, last_epoch, verbose);
            public static LRScheduler MultiplicativeLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) => new impl.MultiplicativeLR(optimizer, lr_lambda, last_epoch, verbose);
            public static LRScheduler StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false) => new impl.StepLR(optimizer, step_size, gamma, last_epoch, verbose);
            public static LRScheduler MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false) => new impl.MultiStepLR(optimizer, milestones, gamma, last_epoch, verbose);
            public static LRScheduler ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false) => new impl.ExponentialLR(optimizer, gamma, last_epoch, verbose);
            public static LRScheduler ConstantLR(Optimizer optimizer, double factor = 1.0 / 3, int total_iters = 5, int last_epoch = -1, bool verbose = false) => new impl.ConstantLR(optimizer, factor, total_iters, last_epoch, verbose);
            public static LRScheduler LinearLR(Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1, int total_iters = 5, int last_epoch = -1, bool verbose = false) => new impl.LinearLR(optimizer, start_factor, end_factor, total_iters, last_epoch, verbose);
            public static LRScheduler PolynomialLR(Optimizer optimizer, int total_iters = 5, double power = 1, int last_epoch = -1, bool verbose = false) => new impl.PolynomialLR(optimizer, total_iters, power, last_epoch, verbose);
            public static LRScheduler CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false) => new impl.CosineAnnealingLR(optimizer, T_max, eta_min, last_epoch, verbose);
            public static LRScheduler SequentialLR(Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1) => new impl.SequentialLR(optimizer, schedulers, milestones, last_epoch);
        }
    }
}
