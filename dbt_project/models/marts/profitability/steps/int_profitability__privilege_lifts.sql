{#
  What privileges did, by difference in differences inside a tier of the window before: the change of the tier
  measure, window on window, of those who got a privilege in the current window less that of those who did not.
  The interval is Welch's with the normal quantile; variances from exact sums.
#}
with
    members as (
        select *
        from {{ ref("int_profitability__value_group_members") }}
        where group_by = 'tier_prior' and is_ranked and measure_amount is not null
    ),

    windows as (select * from {{ ref("dim_value_windows") }} where window_number = 0),

    privileges as (
        select interactions.customer_key, sum(interactions.cost_amount) as cost_amount
        from {{ ref("fct_interactions") }} as interactions
        inner join
            windows
            on interactions.interacted_date > windows.start_date
            and interactions.interacted_date <= windows.end_date
        where interactions.kind = 'privilege'
        group by interactions.customer_key
    ),

    changes as (
        select
            members.group_name,
            members.currency_code,
            privileges.customer_key is not null as is_privileged,
            privileges.cost_amount,
            cast(
                members.measure_amount
                - members.prior_measure_amount as {{ type_amount() }}
            ) as change
        from members
        left join privileges on members.customer_key = privileges.customer_key
    ),

    summed as (
        select
            group_name,
            currency_code,
            coalesce(sum(cost_amount), 0) as cost_amount,
            {% for name, condition in [
                ("treated", "is_privileged"),
                ("control", "not is_privileged"),
            ] %}
                count(case when {{ condition }} then 1 end) as {{ name }}_count,
                sum(case when {{ condition }} then change end) as {{ name }}_sum,
                sum(
                    case
                        when {{ condition }}
                        then {{ amount_product("change", "change") }}
                    end
                ) as {{ name }}_square_sum
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from changes
        group by group_name, currency_code
    ),

    final as (
        select
            group_name,
            currency_code,
            cost_amount,
            treated_count,
            control_count,
            {{ div("treated_sum", "treated_count") }}
            - {{ div("control_sum", "control_count") }} as lift,
            sqrt(
                {% for name in ["treated", "control"] %}
                    greatest(
                        0,
                        {{ div(name ~ "_square_sum", name ~ "_count") }}
                        - {{ div(name ~ "_sum", name ~ "_count") }}
                        * {{ div(name ~ "_sum", name ~ "_count") }}
                    )
                    / nullif({{ name }}_count - 1, 0)
                    {% if not loop.last %} + {% endif %}
                {% endfor %}
            ) as lift_se
        from summed
    )

select *
from final
