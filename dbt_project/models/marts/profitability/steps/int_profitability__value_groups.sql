with
    members as (select * from {{ ref("int_profitability__value_group_members") }}),

    windows as (select * from {{ ref("dim_value_windows") }}),

    summed as (
        select
            group_by,
            group_name,
            currency_code,
            min(case when is_ranked then 1 else 0 end) = 1 as is_ranked,
            count(*) as customer_count,
            count(case when order_count > 0 then 1 end) as active_count,
            count(case when cm3_amount is null then 1 end) as unknown_count,
            sum(net_amount) as net_amount,
            sum(cost_to_serve_amount) as resource_amount,
            sum(
                case when cm3_amount is not null then net_amount end
            ) as costed_net_amount,
            sum(
                case when cm3_amount is not null then cost_to_serve_amount end
            ) as costed_resource_amount,
            -- of buyers whose margins are all unknown the total is not the 0 of those
            -- who
            -- bought nothing
            {% for name in ["cm3_amount", "profit_amount"] %}
                case
                    when
                        count(case when order_count > 0 then 1 end) = 0
                        or count(case when order_count > 0 then {{ name }} end) > 0
                    then sum({{ name }})
                end as {{ name }},
            {% endfor %}
            sum(measure_amount) as measure_amount,
            count(measure_amount) as measure_count,
            count(value_rank) as ranked_count,
            sum(
                case when value_rank is not null then measure_amount end
            ) as ranked_amount,
            sum(value_rank * measure_amount) as rank_times_amount,
            sum(prior_measure_amount) as prior_measure_amount,
            count(prior_measure_amount) as prior_measure_count
        from members
        group by group_by, group_name, currency_code
    ),

    -- a grouping by the window before exists only where the data reach back so far
    observed as (
        select *
        from summed
        where
            group_by not in ('tier_prior', 'level_prior', 'stage_prior')
            or exists (select 1 from windows where window_number = 1 and is_observed)
    ),

    final as (
        select
            *,
            {% for name in ["customer_count", "measure_amount", "resource_amount"] %}
                sum(case when is_ranked then {{ name }} end) over (
                    partition by group_by, currency_code
                ) as base_{{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from observed
    )

select *
from final
