with
    pairs as (select * from {{ ref("int_loyalty__category_pairs") }}),

    shares as (
        select
            *,
            {{ div("pair_order_count", "order_count") }} as support_rate,
            {{ div("category_order_count", "order_count") }} as category_rate,
            {{ div("other_order_count", "order_count") }} as other_rate
        from pairs
    ),

    lifted as (
        select
            *,
            {{ div("support_rate", "category_rate * other_rate") }} as lift,
            -- of ln(lift), by the delta method on the four cells of the table
            sqrt(
                greatest(
                    0,
                    {{
                        div(
                            "1 / support_rate - 1 / category_rate - 1 / other_rate"
                            ~ " + 2 * support_rate / (category_rate * other_rate) - 1",
                            "order_count",
                        )
                    }}
                )
            ) as log_lift_error
        from shares
        where support_rate > 0
    ),

    final as (
        select
            shares.category_pair_key,
            shares.source,
            shares.category,
            shares.other_category,
            cast(shares.order_count as bigint) as order_count,
            cast(shares.category_order_count as bigint) as category_order_count,
            cast(shares.other_order_count as bigint) as other_order_count,
            cast(shares.pair_order_count as bigint) as pair_order_count,
            shares.support_rate,
            {{
                suppress_small_rate(
                    "confidence",
                    "shares.pair_order_count",
                    "shares.category_order_count",
                )
            }},
            shares.category_order_count < {{ var("min_base") }} as is_suppressed,
            {%- set z = var("z_score") %}
            {% for name, value in [
                ("lift", "coalesce(lifted.lift, 0)"),
                (
                    "lift_low",
                    "lifted.lift * exp(- " ~ z ~ " * lifted.log_lift_error)",
                ),
                (
                    "lift_high",
                    "lifted.lift * exp(" ~ z ~ " * lifted.log_lift_error)",
                ),
            ] %}
                {{ suppress_small(value, "shares.category_order_count") }} as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from shares
        left join lifted on shares.category_pair_key = lifted.category_pair_key
    )

select *
from final
